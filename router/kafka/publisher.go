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
	cfg PublisherConfig

	mu       sync.Mutex
	closed   bool
	conn     sarama.Client
	producer client.Producer // nil until the first use, and after a fence
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
	if err := errors.Join(cfg.validate(), cfg.Producer.validate()); err != nil {
		return nil, fmt.Errorf("configure Kafka publisher: %w", err)
	}
	return &Publisher{cfg: cfg}, nil
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
// With an error, which of them are stored is not known. An end of ctx gives up
// the wait, not the delivery.
func (p *Publisher) Send(ctx context.Context, outs ...Output) error {
	if len(outs) == 0 {
		return nil
	}
	producer, err := p.ready(ctx)
	if err != nil {
		return err
	}
	w := &sending{left: len(outs), done: make(chan struct{})}
	byTopic, err := w.prepare(ctx, producer, outs)
	if err != nil {
		return err
	}
	for _, t := range byTopic {
		if err := producer.Enqueue(t.name, t.outs); err != nil {
			return fmt.Errorf("send %d records to topic %s: %w", len(t.outs), t.name, err)
		}
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("send %d records: %w", len(outs), context.Cause(ctx))
	}
}

// Close delivers what is under way, then disconnects.
func (p *Publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	var errs []error
	if p.producer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.CloseTimeout)
		defer cancel()
		if err := p.producer.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close Kafka publisher: %w", err))
		}
	}
	if p.conn != nil {
		errs = append(errs, p.conn.Close())
	}
	return errors.Join(errs...)
}

// ready returns a producer that is not fenced.
func (p *Publisher) ready(ctx context.Context) (client.Producer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("kafka publisher: %w", ErrClosed)
	}
	if p.producer != nil {
		return p.producer, nil
	}
	if p.conn == nil {
		conn, err := saramaclient.Dial(ctx, p.cfg.Brokers, p.cfg.sarama())
		if err != nil {
			return nil, err
		}
		p.conn = conn
	}
	var producer client.Producer
	onFence := func(cause error) {
		if errors.Is(cause, client.ErrClosed) {
			return // by Close, which holds the lock
		}
		p.drop(producer)
	}
	made, err := newProducer(ctx, p.conn, p.cfg.Config, p.cfg.Producer, tellSending, onFence, p.cfg.Logger)
	if err != nil {
		return nil, err
	}
	producer, p.producer = made, made
	return made, nil
}

// drop lets the next Send make a new producer: a delivery has failed, and what
// was queued behind it has failed with it.
func (p *Publisher) drop(producer client.Producer) {
	p.mu.Lock()
	if p.producer == producer {
		p.producer = nil
	}
	p.mu.Unlock()
	go func() { // its fates are being told on the goroutine that fenced it
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.CloseTimeout)
		defer cancel()
		_ = producer.Close(ctx)
	}()
}
