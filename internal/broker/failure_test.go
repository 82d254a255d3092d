package broker_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// A broker that went on after it could not write a batch would refuse it, and
// acknowledge it as a duplicate when its producer sends it again.
func TestABrokerThatCannotWriteStopsAndAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	config := broker.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	b, err := broker.Start(t.Context(), config)
	require.NoError(t, err)
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	inTheWay := filepath.Join(config.Dir, "cluster", "partitions", "a-0")
	require.NoError(t, os.MkdirAll(filepath.Dir(inTheWay), 0o755))
	require.NoError(t, os.WriteFile(inTheWay, nil, 0o644))
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()...), kgo.DefaultProduceTopic("a"),
		kgo.MetadataMinAge(10*time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }))
	require.NoError(t, err)
	defer client.Close()
	fate := make(chan error, 1)
	client.Produce(t.Context(), kgo.StringRecord("stored at last"), func(_ *kgo.Record, err error) { fate <- err })

	require.ErrorContains(t, b.Wait(t.Context()), "cannot write to its data directory")
	require.ErrorContains(t, b.Close(), "a-0", "it cannot write now either")
	require.NoError(t, os.Remove(inTheWay))
	require.Empty(t, fate)

	b = start(t, config) // on the same port: the producer goes on to try
	require.NoError(t, <-fate)
	require.Equal(t, []string{"stored at last"}, values(brokertest.ReadAll(t, b.Addrs(), "a")))
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.NoError(t, b.Wait(ctx))
}
