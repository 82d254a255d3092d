package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// subscription is one call of Subscribe: a member of the group, over all the
// times that it joins.
type subscription struct {
	cfg    *SubscriberConfig
	topics []string
	out    chan *message.Message
	log    *slog.Logger

	conn     sarama.Client   // of commits and of the producer
	producer client.Producer // nil until the first session, and with transactions
	reader   *saramaclient.Reader
	topicIDs map[string][16]byte
	outputs  *produce.Topics // what is known of topics that are written to

	mu      sync.Mutex
	sess    *session          // the current one
	numbers map[int32]*number // with transactions, by partition number
	opening sync.Mutex        // held while a claim joins its number
}

func newSubscription(cfg *SubscriberConfig, topics []string) *subscription {
	return &subscription{
		cfg: cfg, topics: topics, out: make(chan *message.Message),
		log: cfg.Logger.With("group", cfg.Group),
	}
}

// run keeps a member in the group until ctx ends. A membership that fails is
// followed by another one.
func (s *subscription) run(ctx context.Context) {
	defer close(s.out)
	backoff := s.cfg.RejoinBackoff
	for {
		begun := time.Now()
		err := s.member(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				s.log.Warn("the last drain was not complete; what is not done is read again", "error", err)
			}
			return
		}
		if err == nil {
			err = errors.New("the membership ended without being asked to")
		}
		s.cfg.OnError(err)
		if time.Since(begun) > maxRejoinBackoff {
			backoff = s.cfg.RejoinBackoff // it had worked
		}
		s.log.Error("the membership failed; joining again", "error", err, "after", backoff)
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
			return
		}
		backoff = min(2*backoff, maxRejoinBackoff)
	}
}

// member is one membership, with connections of its own.
func (s *subscription) member(ctx context.Context) error {
	conn, err := saramaclient.Dial(ctx, s.cfg.Brokers, s.cfg.sarama())
	if err != nil {
		return err
	}
	s.conn = conn
	defer func() { _ = conn.Close() }()
	defer s.closeProducer()
	defer s.closeNumbers()
	codec, err := s.cfg.Producer.codec()
	if err != nil {
		return err
	}
	s.outputs = produce.NewTopics(conn, codec)
	s.reader = saramaclient.NewReader(s.cfg.Brokers, s.cfg.sarama(), s.report)
	defer func() { _ = s.reader.Close() }()
	if s.topicIDs, err = saramaclient.TopicIDs(ctx, conn, s.topics); err != nil {
		return err
	}
	s.outputs.Ask(s.cfg.Outputs...) // when conn is connected: two that connect it at a time get in each other's way
	group := saramaclient.NewGroup(saramaclient.GroupConfig{
		Brokers: s.cfg.Brokers,
		Sarama:  s.cfg.memberConfig(),
		Commits: conn,
		Name:    s.cfg.Group,
		Topics:  s.topics,
		OnError: s.report,

		OnAssign: s.assigned(ctx),
		OnRejoin: s.hastenNumbers,

		SkipLostTo: s.cfg.LostRange.offset(),
		OnSkip: func(topic string, partition int32, from, to int64) {
			s.log.Warn("records were removed before they were read; going on behind the gap, as configured", "topic", topic, "partition", partition, "from", from, "to", to)
		},
	})
	return group.Run(ctx, s)
}

func (s *subscription) report(err error) { s.log.Warn("the Kafka client reports", "error", err) }

// Begin implements client.Handler.
func (s *subscription) Begin(ctx context.Context, cs client.Session) error {
	if s.producer == nil && s.cfg.Transactions == nil {
		p, err := newProducer(ctx, s.conn, s.outputs, s.cfg.Config, s.cfg.Producer, s.told, s.onFence, s.log)
		if err != nil {
			return err
		}
		s.producer = p
	}
	sess := newSession(s, cs, s.producer, s.reader)
	if err := sess.look(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.sess = sess
	s.mu.Unlock()
	sess.attend()
	s.log.Debug("joined", "claims", cs.Claims(), "generation", cs.Membership().Generation)
	s.cfg.OnJoin(cs.Claims())
	return nil
}

// Claim implements client.Handler.
func (s *subscription) Claim(_ client.Session, c client.Claim) error {
	s.mu.Lock()
	sess := s.sess
	s.mu.Unlock()
	k := newClaim(sess, c, s.topicIDs[c.Topic()])
	if err := s.joinNumber(k); err != nil {
		k.cancel(err)
		return err
	}
	if err := sess.add(k); err != nil {
		k.cancel(err)
		return err
	}
	return k.serve()
}

// End implements client.Handler.
func (s *subscription) End(client.Session) error {
	s.mu.Lock()
	sess := s.sess
	s.sess = nil
	s.mu.Unlock()
	if sess == nil { // Begin failed
		return nil
	}
	sess.end()
	sess.attending.Wait()
	s.closeNumbers() // those whose claims never began
	return nil
}

// told takes the fates of outputs from the producer. Only what is stored moves
// a ledger: with any other fate the producer has been fenced, and the session
// fails as a whole.
func (s *subscription) told(r client.Result) {
	if r.Fate != client.Stored {
		return
	}
	next := r.Base
	r.ByOwner(func(owner any, outs []client.Ticket) {
		base := next
		if base >= 0 {
			next += int64(len(outs))
		}
		switch o := owner.(type) {
		case *Claim: // of an Outbox
			if o.number == nil { // else its transaction tells
				o.ledger.confirm(outs)
			}
		case *receipt: // of Claim.Send
			o.confirm(base, outs)
		}
	})
}

// onFence is called by the producer before it tells the first fate that is not
// Stored.
func (s *subscription) onFence(cause error) {
	if errors.Is(cause, client.ErrClosed) {
		return
	}
	s.mu.Lock()
	sess := s.sess
	s.mu.Unlock()
	if sess != nil {
		sess.fail(fmt.Errorf("outputs could not be delivered: %w", cause))
	}
}

func (s *subscription) closeProducer() {
	if s.producer == nil {
		return
	}
	// Nothing is in flight that anybody waits for: claims have drained or
	// were given up, and then the producer is fenced already.
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := s.producer.Close(ctx); err != nil && !errors.Is(err, client.ErrFenced) {
		s.log.Debug("the producer was closed", "error", err)
	}
	s.producer = nil
}
