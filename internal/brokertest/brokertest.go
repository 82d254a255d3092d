// Package brokertest helps tests that need a broker: an embedded one for a
// test, and a producer and a reader that share no code with what is tested.
// All but New take addresses, so that they work against a real Kafka too.
package brokertest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
)

// timeout bounds every call to a broker: long enough for a loaded machine,
// short enough that a broken test ends before the suite does.
const timeout = 30 * time.Second

// Option is an option of New.
type Option func(*settings)

type settings struct {
	config broker.Config
	topics []topic
}

// Topic makes a topic before New returns; see CreateTopic.
func Topic(name string, partitions int32, configs ...string) Option {
	return func(s *settings) {
		s.topics = append(s.topics, topic{name: name, partitions: partitions, configs: configs})
	}
}

// Brokers sets the number of brokers. Defaults to 1.
func Brokers(n int) Option {
	return func(s *settings) { s.config.Brokers = n }
}

// New starts an embedded broker in memory and closes it when the test ends.
func New(t testing.TB, options ...Option) *broker.Broker {
	t.Helper()
	s := settings{config: broker.Config{Logger: slog.New(slog.DiscardHandler)}}
	for _, option := range options {
		option(&s)
	}
	b, err := broker.Start(t.Context(), s.config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	for _, topic := range s.topics {
		CreateTopic(t, b.Addrs(), topic.name, topic.partitions, topic.configs...)
	}
	return b
}

// background returns a context for one call: bounded, and alive in the
// clean-up of the test too.
func background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), timeout)
}
