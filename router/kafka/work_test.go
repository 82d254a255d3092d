package kafka_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// The drain waits for other work that is under way, and lets none begin.
func TestTheDrainWaitsForOtherWork(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	m, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	done := k.Work()
	require.True(t, k.MayBegin())
	goOn()
	left := m.closing()
	<-k.Draining()
	again := k.Work()
	require.False(t, k.MayBegin())
	again()
	stored := make(chan struct{})
	require.NoError(t, k.Send([]kafka.Output{{Topic: "out", Value: []byte("the last")}}, func([]int64) { close(stored) }))
	<-stored
	require.NoError(t, k.SetMetadata("after it"))
	select {
	case <-left:
		require.Fail(t, "it does not wait")
	default:
	}
	done()
	done() // is no more than once
	<-left
	_, found := beside(b)
	require.Equal(t, "after it", found)
	require.Empty(t, m.failures())
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 1)
}

func TestOtherWorkIsGivenUpAtTheDeadline(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	cfg := quick(b.Addrs())
	cfg.DrainTimeout = 10 * tick
	m, k, goOn := taken(t, cfg, copied(20))
	k.Work()
	goOn()
	m.leave()
	require.ErrorContains(t, context.Cause(k.Context()), "1 pieces of other work, were not done within the drain deadline")
}

// A message whose end was told otherwise moves the watermark.
func TestDoneSettlesAMessage(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	join(t, quick(b.Addrs()), func(b *kafka.Batch, _ *kafka.Outbox) error {
		for i := range b.Records {
			e := b.Entry(i)
			if err := b.Claim.Send([]kafka.Output{{Topic: "out"}}, func([]int64) { b.Claim.Done(e) }); err != nil {
				return err
			}
		}
		return nil
	})
	feed(t, b.Addrs(), 1, 20)
	caughtUp(t, b)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 20)
}
