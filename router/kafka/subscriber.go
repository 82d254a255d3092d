package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
)

// ErrClosed is returned by what is used after its Close.
var ErrClosed = errors.New("closed")

// Subscriber is a Watermill Subscriber on a Kafka consumer group. It is safe
// for concurrent use.
type Subscriber struct {
	cfg SubscriberConfig

	mu     sync.Mutex
	closed bool
	stop   context.CancelFunc
	ctx    context.Context //nolint:containedctx // ends every subscription when the Subscriber is closed
	subs   sync.WaitGroup
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber returns a Subscriber. It connects when Subscribe is called.
// The error lists every mistake in the configuration.
func NewSubscriber(cfg SubscriberConfig) (*Subscriber, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure Kafka subscriber: %w", err)
	}
	s := &Subscriber{cfg: cfg}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Subscribe makes this process a member of the group and delivers what it is
// given to the channel, until ctx ends or the Subscriber is closed. The channel
// is closed when the member has drained and left. A failure, of the broker or
// of a delivery, does not end the subscription: the member joins again and
// reads on from the last offset done.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	topics := s.cfg.Topics(topic)
	if len(topics) == 0 {
		return nil, fmt.Errorf("subscribe to %q: no topics", topic)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("subscribe to %q: subscriber: %w", topic, ErrClosed)
	}
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(s.ctx, cancel)
	sub := newSubscription(&s.cfg, topics)
	s.subs.Go(func() {
		defer cancel()
		defer detach()
		sub.run(ctx)
	})
	return sub.out, nil
}

// Close ends all subscriptions: no more is read, what is in flight is finished
// within the drain deadline, offsets are committed, the group is left. It
// returns when all that is done; calling it again waits too.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.subs.Wait()
	return nil
}
