package produce

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// Config says what a producer is to do. Client and Done are required.
type Config struct {
	// Client looks up leaders, coordinators, topics and the producer's id. It
	// can be shared, and has to be closed after the producer. Required.
	Client sarama.Client

	// Sarama is the template of the producer's own connections: TLS, SASL, the
	// proxy, the timeouts and the protocol version are taken from a copy of it.
	// Net.ReadTimeout is how long an answer is waited for. Defaults to the
	// configuration of Client.
	Sarama *sarama.Config

	// Topics is what is known of topics, of the same Client and Compression. Defaults to
	// knowledge of its own.
	Topics *Topics

	// TransactionalID makes the producer transactional. Required by
	// NewTransactional and refused by New. Defaults to none.
	TransactionalID string

	// Group is the consumer group whose offsets go into each transaction: the
	// coordinator is told of it while outputs are still taken, and not when the
	// offsets come. Defaults to none: it is told with the first offsets.
	Group string

	// TransactionTimeout is when the broker gives up a transaction whose
	// producer is gone: as long it hides what comes after it from readers of
	// committed records. Defaults to 10 seconds.
	TransactionTimeout time.Duration

	// Compression is the codec of the batches. Defaults to none.
	Compression sarama.CompressionCodec

	// CompressionLevel is the codec's level; 0 is the codec's own default.
	// Defaults to 0.
	CompressionLevel int

	// BatchBytes bounds a batch before compression; a topic that takes less
	// bounds it further. One output can be larger. Defaults to 900 KiB.
	BatchBytes int

	// RequestBytes bounds what the batches of a request take together. Defaults
	// to 8 MiB.
	RequestBytes int

	// Linger is how long a partition waits for more when it has less than a
	// batch, from the first output on. Defaults to 0: what has come while a batch was in flight is the
	// next one.
	Linger time.Duration

	// DeliveryTimeout is how long a batch is tried before the producer is
	// fenced. Defaults to 2 minutes.
	DeliveryTimeout time.Duration

	// Backoff is the pause before the first retry of a batch; each further
	// pause is twice as long, up to a second. Defaults to 20 milliseconds.
	Backoff time.Duration

	// MaxInFlight bounds the requests in flight to a broker. A partition has
	// one batch in flight whatever it is. Defaults to 5.
	MaxInFlight int

	// IdleTimeout is after what time an unused connection is closed, so that
	// brokers that have gone leave nothing behind. Defaults to 1 minute.
	IdleTimeout time.Duration

	// Done is told the fates. The calls of one partition are serial and in
	// order, those of several side by side. It must not wait, nor call Flush
	// or Close. Required.
	Done func(client.Result)

	// OnFence is called once when the producer is fenced, with the cause: after
	// its connections are cut and before any fate other than Stored is told. A
	// Close in time does not call it. It must not wait, nor call Flush or
	// Close. Defaults to nothing.
	OnFence func(cause error)

	// Logger gets retries at level debug, and fences and failed look-ups at
	// level warn. Defaults to slog.Default().
	Logger *slog.Logger
}

// minVersion is the oldest protocol with the requests that are used here.
var minVersion = sarama.V2_8_0_0

// withDefaults returns a copy in which what is not set has its default.
func (c *Config) withDefaults() Config {
	d := *c
	d.setDefaults()
	return d
}

func (c *Config) setDefaults() {
	if c.Sarama == nil && c.Client != nil {
		c.Sarama = c.Client.Config()
	}
	if c.CompressionLevel == 0 {
		c.CompressionLevel = sarama.CompressionLevelDefault
	}
	if c.Topics == nil && c.Client != nil {
		c.Topics = NewTopics(c.Client, c.Compression)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.OnFence == nil {
		c.OnFence = func(error) {}
	}
	orDefault(&c.TransactionTimeout, 10*time.Second)
	orDefault(&c.BatchBytes, 900<<10)
	orDefault(&c.RequestBytes, 8<<20)
	orDefault(&c.DeliveryTimeout, 2*time.Minute)
	orDefault(&c.Backoff, 20*time.Millisecond)
	orDefault(&c.MaxInFlight, 5)
	orDefault(&c.IdleTimeout, time.Minute)
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate reports everything that is wrong with a configuration at once, and
// what was found before. It is called after withDefaults.
func (c *Config) validate(errs ...error) error {
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Client == nil {
		wrong("Client is missing")
	} else if v := c.Client.Config().Version; !v.IsAtLeast(minVersion) {
		wrong("Client speaks protocol version %s; it has to be %s or newer", v, minVersion)
	}
	if c.Sarama != nil && !c.Sarama.Version.IsAtLeast(minVersion) {
		wrong("Sarama has protocol version %s; it has to be %s or newer", c.Sarama.Version, minVersion)
	}
	if c.Done == nil {
		wrong("Done is missing")
	}
	if c.BatchBytes < 0 {
		wrong("BatchBytes is %d; it has to be positive", c.BatchBytes)
	}
	if c.RequestBytes < c.BatchBytes || c.RequestBytes > maxRequest() {
		wrong("RequestBytes is %d; it has to be between BatchBytes, %d, and %d", c.RequestBytes, c.BatchBytes, maxRequest())
	}
	if c.Sarama != nil && len(c.Sarama.ClientID)+len(c.TransactionalID) > maxNames {
		wrong("Sarama.ClientID and TransactionalID have more than %d bytes", maxNames)
	}
	if c.MaxInFlight < 0 {
		wrong("MaxInFlight is %d; it has to be positive", c.MaxInFlight)
	}
	notNegative := func(name string, d time.Duration) {
		if d < 0 {
			wrong("%s is %s; it must not be negative", name, d)
		}
	}
	notNegative("TransactionTimeout", c.TransactionTimeout)
	notNegative("Linger", c.Linger)
	notNegative("DeliveryTimeout", c.DeliveryTimeout)
	notNegative("Backoff", c.Backoff)
	notNegative("IdleTimeout", c.IdleTimeout)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration of the producer: %w", err)
	}
	return nil
}

// maxRequest is what brokers take at most unless they are told otherwise
// (socket.request.max.bytes), less the frame around a batch.
func maxRequest() int {
	const most, frame = 100 << 20, 64 << 10
	return most - frame
}

// maxNames bounds the client id and the transactional id, which are in every
// request.
const maxNames = 16 << 10

// connection is the configuration that the producer's own connections are
// opened with.
func (c *Config) connection() *sarama.Config {
	conf := *c.Sarama
	conf.Producer.Idempotent = false // producer id and sequence numbers are ours
	conf.Producer.Transaction.ID = ""
	return &conf
}
