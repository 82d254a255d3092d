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
	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// PublisherConfig is the configuration of a Publisher.
type PublisherConfig struct {
	Config

	// Producer is the configuration of the producer.
	Producer ProducerConfig

	// Marshaler turns messages into records. Defaults to DefaultMarshaler,
	// which writes no keys.
	Marshaler Marshaler

	// CloseTimeout is how long Close may take to deliver what is under way.
	// Defaults to 30 s.
	CloseTimeout time.Duration

	// Logger takes what happens to the producer. Defaults to slog.Default.
	Logger *slog.Logger
}

// Publisher is a Watermill Publisher on the ordered producer. It is safe for
// concurrent use; of one partition the order is that of the calls.
type Publisher struct {
	cfg     PublisherConfig
	closing context.Context //nolint:containedctx // ends what Close must not wait for
	stop    context.CancelFunc
	close   func() error
	making  chan struct{} // holds one token: who makes a producer has it

	mu      sync.Mutex
	closed  bool
	conn    sarama.Client
	current client.Producer // nil until the first use, and after a fence
	retired sync.WaitGroup  // producers that were fenced and are being closed
}

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher returns a Publisher. It connects with the first message. The
// error lists every mistake in the configuration.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	cfg.Config = cfg.Config.withDefaults()
	if cfg.Marshaler == nil {
		cfg.Marshaler = DefaultMarshaler{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	setDefault(&cfg.CloseTimeout, 30*time.Second)
	errs := []error{cfg.validate(), cfg.Producer.validate()}
	if cfg.CloseTimeout < 0 {
		errs = append(errs, errors.New("CloseTimeout is negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("configure Kafka publisher: %w", err)
	}
	p := &Publisher{cfg: cfg, making: make(chan struct{}, 1)}
	p.closing, p.stop = context.WithCancel(context.Background())
	p.close = sync.OnceValue(p.shut)
	return p, nil
}

// Publish implements message.Publisher: it returns when every message is
// stored, all sent together. The contexts of the messages are not looked at:
// the delivery time-out bounds the call.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	outs := make([]Output, len(messages))
	for i, m := range messages {
		var err error
		if outs[i], err = p.cfg.Marshaler.Marshal(topic, m); err != nil {
			return fmt.Errorf("marshal message %s for topic %s: %w", m.UUID, topic, err)
		}
		outs[i].Topic = topic
	}
	return p.Send(context.Background(), outs...)
}

// Send stores outputs and returns when the broker has confirmed all of them.
// With an error, which of them are stored is not known, but for a
// *TooLargeError: then none is. An end of ctx gives up the wait, not the
// delivery.
func (p *Publisher) Send(ctx context.Context, outs ...Output) error {
	if len(outs) == 0 {
		return nil
	}
	producer, err := p.ready(ctx)
	if err != nil {
		return err
	}
	w := &sending{left: len(outs), done: make(chan struct{})}
	sorted, err := byTopic(outs, w, func(topic string) (client.Topic, error) { return producer.Prepare(ctx, topic) })
	if err != nil {
		return publisherError(err)
	}
	for _, t := range sorted {
		if err := producer.Enqueue(t.name, t.outs); err != nil {
			return publisherError(fmt.Errorf("send %d records to topic %s: %w", len(t.outs), t.name, err))
		}
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("send %d records: %w", len(outs), context.Cause(ctx))
	}
}

// publisherError says of what was refused because of Close that it was.
func publisherError(err error) error {
	if errors.Is(err, client.ErrClosed) {
		return fmt.Errorf("kafka publisher: %w: %w", ErrClosed, err)
	}
	return err
}

// Close delivers what is under way, then disconnects. Calling it again waits
// too and returns the same.
func (p *Publisher) Close() error { return p.close() }

func (p *Publisher) shut() error {
	p.stop()
	p.making <- struct{}{} // nobody makes a producer any more
	p.mu.Lock()
	p.closed = true
	current, conn := p.current, p.conn
	p.current = nil
	p.mu.Unlock()
	// Without the lock: a fence, which this may come to, takes it.
	var errs []error
	if current != nil {
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.CloseTimeout)
		defer cancel()
		if err := current.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close Kafka publisher: %w", err))
		}
	}
	p.retired.Wait()
	if conn != nil {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

// ready returns a producer that is not fenced.
func (p *Publisher) ready(ctx context.Context) (client.Producer, error) {
	if producer, err := p.get(); producer != nil || err != nil {
		return producer, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	detach := context.AfterFunc(p.closing, func() { cancel(fmt.Errorf("kafka publisher: %w", ErrClosed)) })
	defer detach()
	select {
	case p.making <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-p.making }()
	if producer, err := p.get(); producer != nil || err != nil {
		return producer, err
	}
	return p.make(ctx)
}

// get returns the current producer, if there is one.
func (p *Publisher) get() (client.Producer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.closing.Err() != nil {
		return nil, fmt.Errorf("kafka publisher: %w", ErrClosed)
	}
	return p.current, nil
}

// make makes a producer. The caller has the token.
func (p *Publisher) make(ctx context.Context) (client.Producer, error) {
	p.mu.Lock()
	conn := p.conn
	p.mu.Unlock()
	if conn == nil {
		var err error
		if conn, err = saramaclient.Dial(ctx, p.cfg.Brokers, p.cfg.sarama()); err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.conn = conn
		p.mu.Unlock()
	}
	var made client.Producer // set before anything can be enqueued, and so fence it
	onFence := func(cause error) {
		if !errors.Is(cause, client.ErrClosed) {
			p.drop(made)
		}
	}
	made, err := newProducer(ctx, conn, nil, p.cfg.Config, p.cfg.Producer, tellSending, onFence, p.cfg.Logger)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.current = made
	p.mu.Unlock()
	return made, nil
}

// drop lets the next Send make a new producer: a delivery has failed, and what
// was queued behind it has failed with it. When Close has begun, the producer
// is its to close.
func (p *Publisher) drop(producer client.Producer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != producer {
		return
	}
	p.current = nil
	p.retired.Go(func() { // its fates are being told on the goroutine that fenced it
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.CloseTimeout)
		defer cancel()
		_ = producer.Close(ctx) // its failure has been told with the fates
	})
}
