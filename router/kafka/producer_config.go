package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// Compression is a codec for record batches.
type Compression string

// The codecs. The empty one is none.
const (
	Gzip   Compression = "gzip"
	Snappy Compression = "snappy"
	LZ4    Compression = "lz4"
	Zstd   Compression = "zstd"
)

// ProducerConfig is the configuration of the ordered, idempotent producer. Its
// records are acknowledged by all replicas in sync.
type ProducerConfig struct {
	// Compression is the codec of record batches. Defaults to none.
	Compression Compression

	// Linger is how long to wait for more when less than a batch is there.
	// Defaults to 0: batches fill by themselves while one is in flight.
	Linger time.Duration

	// BatchBytes is the most bytes of a batch before compression. A single
	// larger record makes a batch of its own. Defaults to 900 KiB.
	BatchBytes int

	// DeliveryTimeout is how long a batch may take to be stored, retries
	// included, before the delivery counts as failed. Defaults to 2 min.
	DeliveryTimeout time.Duration
}

func (c ProducerConfig) codec() (sarama.CompressionCodec, error) {
	switch c.Compression {
	case "":
		return sarama.CompressionNone, nil
	case Gzip:
		return sarama.CompressionGZIP, nil
	case Snappy:
		return sarama.CompressionSnappy, nil
	case LZ4:
		return sarama.CompressionLZ4, nil
	case Zstd:
		return sarama.CompressionZSTD, nil
	default:
		return 0, fmt.Errorf("compression %q is not known: use %s, %s, %s or %s", c.Compression, Gzip, Snappy, LZ4, Zstd)
	}
}

func (c ProducerConfig) validate() error {
	_, err := c.codec()
	errs := []error{err}
	if c.Linger < 0 || c.BatchBytes < 0 || c.DeliveryTimeout < 0 {
		errs = append(errs, errors.New("a bound of the producer is negative"))
	}
	return errors.Join(errs...)
}

// newProducer makes an ordered producer on conn's metadata. It shares what is known of
// topics; nil: it has knowledge of its own.
func newProducer(ctx context.Context, conn sarama.Client, topics *produce.Topics, c Config, p ProducerConfig, done func(client.Result), onFence func(error), log *slog.Logger) (client.Producer, error) {
	cfg, err := p.of(conn, c, done, onFence, log)
	if err != nil {
		return nil, err
	}
	cfg.Topics = topics
	producer, err := produce.New(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("make a producer: %w", err)
	}
	return producer, nil
}

// newTransactional makes an ordered producer with a transactional id. It shares what
// is known of topics.
func newTransactional(ctx context.Context, conn sarama.Client, topics *produce.Topics, s *SubscriberConfig, id string, done func(client.Result), onFence func(error), log *slog.Logger) (client.Transactions, error) {
	cfg, err := s.Producer.of(conn, s.Config, done, onFence, log)
	if err != nil {
		return nil, err
	}
	cfg.Topics = topics
	cfg.TransactionalID, cfg.Group, cfg.TransactionTimeout = id, s.Group, s.Transactions.Timeout
	producer, err := produce.NewTransactional(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("make a transactional producer: %w", err)
	}
	return producer, nil
}

// of is the configuration of a producer on conn's metadata.
func (c ProducerConfig) of(conn sarama.Client, k Config, done func(client.Result), onFence func(error), log *slog.Logger) (produce.Config, error) {
	codec, err := c.codec()
	return produce.Config{
		Client:          conn,
		Sarama:          k.sarama(),
		Compression:     codec,
		BatchBytes:      c.BatchBytes,
		Linger:          c.Linger,
		DeliveryTimeout: c.DeliveryTimeout,
		Done:            done,
		OnFence:         onFence,
		Logger:          log,
	}, err
}
