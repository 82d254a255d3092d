package produce_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

const (
	topic      = "out"
	partitions = 3

	// patience bounds every wait of a test; a test that works needs a
	// fraction of it.
	patience = 20 * time.Second
)

// newCluster starts three brokers with the topic.
func newCluster(t testing.TB) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(partitions, topic))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// quick is a sarama configuration whose timeouts suit a broker in the process.
func quick() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0
	c.Net.ReadTimeout = patience
	c.Net.DialTimeout = patience
	c.Metadata.Retry.Backoff = 10 * time.Millisecond
	c.Metadata.Retry.Max = 2
	return c
}

// newClient makes a sarama client that is closed when the test ends.
func newClient(t testing.TB, addrs []string, conf *sarama.Config) sarama.Client {
	t.Helper()
	c, err := sarama.NewClient(addrs, conf)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// newProducer makes a producer of the cluster. The test closes it; a test that
// has failed leaves that to the clean-up.
func newProducer(t testing.TB, addrs []string, cfg produce.Config) *produce.Producer {
	t.Helper()
	p, err := produce.New(t.Context(), testConfig(t, addrs, cfg))
	require.NoError(t, err)
	closeAtEnd(t, p)
	return p
}

func testConfig(t testing.TB, addrs []string, cfg produce.Config) produce.Config {
	t.Helper()
	if cfg.Client == nil {
		cfg.Client = newClient(t, addrs, quick())
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Done == nil {
		cfg.Done = func(client.Result) {}
	}
	return cfg
}

func closeAtEnd(t testing.TB, p client.Producer) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = p.Close(ctx) // the test has looked at what the first one returned
	})
}

// within returns a context that ends with the test, and long before its run
// does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
