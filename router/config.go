package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/penstock/penstock/router/kafka"
)

// Config is the configuration of a Router.
type Config struct {
	// Kafka says how to reach the cluster. Required.
	Kafka kafka.Config

	// Stages are the stages to run, by name, or as "pipeline.stage" where
	// several pipelines have one of that name. Defaults to all, unless Sources
	// names some: then to none.
	Stages []string

	// Sources are the sources to run, named as Stages are. Defaults to all,
	// unless Stages names some: then to none.
	Sources []string

	// HTTP is the address, "host:port", of the sources that are served over HTTP;
	// port 0 is any that is free. Nothing listens where this process runs none.
	// Defaults to 127.0.0.1:8080.
	HTTP string

	// MaxMessageBytes is the largest value of a message that is worked on; a
	// larger one is poisoned. Defaults to 1 MiB.
	MaxMessageBytes int

	// MaxInFlight is how many messages of a partition may be read and not yet
	// be done. Defaults to 16384.
	MaxInFlight int

	// MaxInFlightBytes is how many bytes of a partition's messages and their
	// outputs may be in flight before it stops reading. Defaults to 64 MiB.
	MaxInFlightBytes int64

	// MaxParked is how many messages of a partition may be parked. What would be
	// parked beyond it waits where it is, and with it the pipe, until there is
	// room; what is parked goes on. Defaults to 200000.
	MaxParked int

	// CrashesBeforeAlone is how often owners of a partition may end without a word,
	// because they crash, are killed or are taken for dead, before the messages that
	// may have been at work each time run alone: one at a time, and nothing beside
	// it in the process. Defaults to 3.
	CrashesBeforeAlone int

	// CrashesAlone is how often the process may end while one message is alone at
	// work before that is poisoned, as long as others succeed. Defaults to 2.
	CrashesAlone int

	// CommitInterval is how often offsets are committed. Defaults to 500 ms.
	CommitInterval time.Duration

	// StopTimeout is how long a stage may take to finish what it is at when it
	// is stopped or gives partitions up. What is not finished then is read
	// again. Defaults to 30 s.
	StopTimeout time.Duration

	// StuckAfter is how long an attempt may take before Status calls it stuck; in
	// a stage with a Timeout it is at least twice that. Defaults to 10 minutes.
	StuckAfter time.Duration

	// OnStart is called when Run begins, before anything is opened. Where it
	// fails it is called again, with growing waits, unless the error is marked by
	// pipeline.Reject: then Run ends with it. Defaults to nothing.
	OnStart func(ctx context.Context) error

	// OnStop is called before Run returns, when all stages and sources have
	// stopped, if OnStart has succeeded. Its context ends after StopTimeout.
	// Defaults to nothing.
	OnStop func(ctx context.Context) error

	// SessionTimeout is how long a process may be silent before its partitions
	// go to others. Defaults to 10 s.
	SessionTimeout time.Duration

	// InstanceID makes the memberships static: a process that comes back under
	// the same id within the session timeout has its partitions again, and
	// nobody else's change. It must differ between processes; they do not leave
	// their groups when they stop. Defaults to none.
	InstanceID string

	// LostRange says what to do when records that were still to be read are gone
	// from the log. Defaults to an error that is repeated until somebody
	// decides.
	LostRange kafka.LostRange

	// Compression of what is produced. Defaults to none.
	Compression kafka.Compression

	// Tracer makes the spans of attempts and of triggers that are put. The trace
	// context of messages passes through as it is without one. Who gives one
	// shuts it down after Run. Defaults to none: nothing is traced.
	Tracer trace.TracerProvider

	// Logger takes what happens. Defaults to slog.Default.
	Logger *slog.Logger
}

// DefaultMaxMessageBytes is the largest value of a message that is worked on
// unless the configuration says otherwise, in bytes.
const DefaultMaxMessageBytes = 1 << 20

const (
	defaultMaxParked          = 200_000
	defaultCrashesBeforeAlone = 3
	defaultCrashesAlone       = 2
)

// DefaultStuckAfter is how long an attempt may take unless the configuration says
// otherwise.
const DefaultStuckAfter = 10 * time.Minute

func (c Config) withDefaults() Config {
	if c.HTTP == "" {
		c.HTTP = DefaultHTTP
	}
	if c.MaxMessageBytes == 0 {
		c.MaxMessageBytes = DefaultMaxMessageBytes
	}
	if c.CrashesBeforeAlone == 0 {
		c.CrashesBeforeAlone = defaultCrashesBeforeAlone
	}
	if c.CrashesAlone == 0 {
		c.CrashesAlone = defaultCrashesAlone
	}
	if c.MaxParked == 0 {
		c.MaxParked = defaultMaxParked
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = 30 * time.Second
	}
	if c.StuckAfter == 0 {
		c.StuckAfter = DefaultStuckAfter
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if c.MaxMessageBytes < 0 {
		errs = append(errs, fmt.Errorf("MaxMessageBytes is %d: it must be positive", c.MaxMessageBytes))
	}
	if c.MaxParked < 0 {
		errs = append(errs, fmt.Errorf("MaxParked is %d: it must be positive", c.MaxParked))
	}
	if c.CrashesBeforeAlone < 0 {
		errs = append(errs, fmt.Errorf("CrashesBeforeAlone is %d: it must be positive", c.CrashesBeforeAlone))
	}
	if c.CrashesAlone < 0 {
		errs = append(errs, fmt.Errorf("CrashesAlone is %d: it must be positive", c.CrashesAlone))
	}
	if c.StopTimeout < 0 {
		errs = append(errs, fmt.Errorf("StopTimeout is %v: it must be positive", c.StopTimeout))
	}
	if c.StuckAfter < 0 {
		errs = append(errs, fmt.Errorf("StuckAfter is %v: it must be positive", c.StuckAfter))
	}
	return errors.Join(errs...)
}

// subscriber is the transport's configuration for a stage.
func (c Config) subscriber(group string, topics []string) kafka.SubscriberConfig {
	return kafka.SubscriberConfig{
		Config:           c.Kafka,
		Group:            group,
		Topics:           func(string) []string { return topics },
		Batches:          true,
		MaxInFlight:      c.MaxInFlight,
		MaxInFlightBytes: c.MaxInFlightBytes,
		CommitInterval:   c.CommitInterval,
		DrainTimeout:     c.StopTimeout,
		RebalanceTimeout: c.StopTimeout + rebalanceMargin,
		SessionTimeout:   c.SessionTimeout,
		InstanceID:       c.InstanceID,
		LostRange:        c.LostRange,
		Producer:         kafka.ProducerConfig{Compression: c.Compression},
		Logger:           c.Logger,
	}
}

// rebalanceMargin is how much longer than a drain the group waits for its
// members: for the commit, and for a slow network.
const rebalanceMargin = 30 * time.Second
