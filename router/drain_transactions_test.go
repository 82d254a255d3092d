package router_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// A log that ends with what no reader is handed, the marker of a transaction or one
// that was aborted, is caught up with all the same, and nothing is left in the lag.
func TestAStageCatchesUpBehindTransactions(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error { return nil })
	r := start(t, addrs, p, quickly())
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID("a"), kgo.DefaultProduceTopic("laned.in"))
	require.NoError(t, err)
	defer client.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		require.NoError(t, client.BeginTransaction())
		require.NoError(t, client.ProduceSync(t.Context(), kgo.KeyStringRecord("key-0", "v")).FirstErr())
		require.NoError(t, client.EndTransaction(t.Context(), end))
		r.drained()
		require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), i/2+1)
		require.Zero(t, lag(t, addrs, "laned.work", "laned.in"))
		require.Eventually(t, func() bool { return behind(r) == 0 }, waitFor, tick)
	}
	r.stop()
	r = start(t, addrs, p, router.Config{})
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 2)
}
