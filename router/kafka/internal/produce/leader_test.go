package produce_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// lookUps is a client whose refreshes are counted, and can hang.
type lookUps struct {
	sarama.Client
	refreshes atomic.Int64
	hang      atomic.Pointer[chan struct{}]
}

func (c *lookUps) RefreshMetadata(topics ...string) error {
	c.refreshes.Add(1)
	if hang := c.hang.Load(); hang != nil {
		<-*hang
	}
	return c.Client.RefreshMetadata(topics...)
}

// However many partitions lose their leader, one look-up serves them all.
func TestLookUpsAreShared(t *testing.T) {
	t.Parallel()
	const many = 200
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(many, topic))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cl := &lookUps{Client: newClient(t, c.ListenAddrs(), quick())}
	var retried atomic.Int64
	p := newProducer(t, nil, produce.Config{Client: cl, Backoff: 50 * time.Millisecond})
	_, err = p.Prepare(within(t), topic)
	require.NoError(t, err)
	prepared := cl.refreshes.Load()
	h := c.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1,
		When: func(r kmsg.Request) bool { // runs on the cluster's goroutine, one at a time
			for _, rt := range r.(*kmsg.ProduceRequest).Topics {
				retried.Add(int64(len(rt.Partitions)))
			}
			return true
		},
	})
	outs := make([]client.Output, many)
	for i := range outs {
		outs[i].Partition = int32(i)
	}
	require.NoError(t, p.Enqueue(topic, outs))
	require.Eventually(t, func() bool { return retried.Load() >= 5*many }, patience, time.Millisecond)
	h.Remove()
	require.NoError(t, p.Close(within(t)))
	attempts, refreshes := retried.Load(), cl.refreshes.Load()-prepared
	require.Less(t, refreshes, attempts/10, "%d attempts failed", attempts)
}

// A look-up that hangs holds up neither a fence nor a close, and the delivery
// deadline counts while it does.
func TestHangingLookUp(t *testing.T) {
	t.Parallel()
	for name, timeout := range map[string]time.Duration{"close": time.Hour, "deadline": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			cl := &lookUps{Client: newClient(t, c.ListenAddrs(), quick())}
			results := make(chan client.Result, 1)
			p := newProducer(t, nil, produce.Config{
				Client: cl, DeliveryTimeout: timeout, Done: func(r client.Result) { results <- r },
			})
			_, err := p.Prepare(within(t), topic)
			require.NoError(t, err)
			hang := make(chan struct{})
			defer close(hang)
			cl.hang.Store(&hang)
			before := cl.refreshes.Load()
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
			require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
			require.Eventually(t, func() bool { return cl.refreshes.Load() > before }, patience, time.Millisecond)

			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = p.Prepare(ctx, "another")
			require.ErrorIs(t, err, context.DeadlineExceeded, "it hangs, too")
			if name == "deadline" {
				require.ErrorIs(t, (<-results).Err, client.ErrDeadline)
				require.ErrorIs(t, p.Close(within(t)), client.ErrDeadline)
				return
			}
			require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
			require.ErrorIs(t, (<-results).Err, client.ErrClosed)
		})
	}
}

// A client that is closed under the producer ends it: no look-up will ever
// succeed.
func TestClosedClientFences(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	cl, err := sarama.NewClient(c.ListenAddrs(), quick())
	require.NoError(t, err)
	results := make(chan client.Result, 1)
	p := newProducer(t, nil, produce.Config{Client: cl, Done: func(r client.Result) { results <- r }})
	_, err = p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, cl.Close())
	require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
	require.ErrorIs(t, (<-results).Err, sarama.ErrClosedClient)
	require.ErrorIs(t, p.Close(within(t)), sarama.ErrClosedClient)
}
