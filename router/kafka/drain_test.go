package kafka_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

func TestFifteenGracefulStopsRepeatNothing(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	for range 15 {
		begun := make(chan struct{})
		var once sync.Once
		m := join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
			once.Do(func() { close(begun) })
			return copied(20)(b, out)
		})
		feed(t, b.Addrs(), 20, 20)
		<-begun
		m.leave() // in the middle
		require.Empty(t, m.failures())
	}
	join(t, quick(b.Addrs()), copied(20))
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
}

func TestCloseWaitsForHandlersAndCommits(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	m := join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		once.Do(func() {
			close(begun)
			<-goOn
		})
		return copied(20)(b, out)
	})
	feed(t, b.Addrs(), 1, 20)
	<-begun
	closed := m.closing()
	select {
	case <-closed:
		t.Error("Close does not wait for the handler")
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	<-closed
	outs := brokertest.ReadAll(t, b.Addrs(), "out")
	require.NotEmpty(t, outs)
	for _, at := range committed(b) {
		require.EqualValues(t, len(outs), at, "what was stored is committed")
	}
	join(t, quick(b.Addrs()), copied(20))
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
}

func TestAHandlerThatNeverReturnsIsLeftBehind(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var late error
	cfg := quick(b.Addrs())
	cfg.DrainTimeout = 100 * time.Millisecond
	m := join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		if err := copyOne(b, 0, out); err != nil {
			return err
		}
		once.Do(func() { close(begun) })
		<-goOn
		late = errors.Join(late, out.Flush())
		return late
	})
	feed(t, b.Addrs(), 1, 20)
	<-begun
	require.NoError(t, m.Close())
	close(goOn)
	m.handling.Wait()
	require.Error(t, late, "what it does later goes nowhere")
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "out"))
	require.Empty(t, look(t, b).committed)

	join(t, quick(b.Addrs()), copied(20))
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b), "the next member does it all")
}

func TestARefusedBatchIsReadAgain(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	var once sync.Once
	m := join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) (err error) {
		once.Do(func() { err = errors.New("not now") })
		if err != nil {
			return err
		}
		return copied(20)(b, out)
	})
	feed(t, b.Addrs(), 20, 20)
	caughtUp(t, b)
	f := look(t, b)
	require.Empty(t, f.lost)
	require.Empty(t, f.disordered)
	require.Empty(t, f.jumps)
	require.Len(t, m.failures(), 1)
	require.ErrorContains(t, m.failures()[0], "refused by its handler")
}

// What is refused or given up is read again, but not beside a handler that
// still works on what the claim gave it: effects outside Kafka have an order too.
func TestOfAClaimOneBatchIsAtWork(t *testing.T) {
	t.Parallel()
	const partitions = 8
	b := brokertest.New(t, brokertest.Topic("in", partitions), brokertest.Topic("out", 1))
	brokertest.CreateTopic(t, b.Addrs(), "more", 1)
	for p := range int32(partitions) {
		brokertest.ProduceTo(t, b.Addrs(), "in", p, make([]brokertest.Record, 20)...)
	}
	var mu sync.Mutex
	at := map[*kafka.Claim]int{}
	goOn := make(chan struct{})
	cfg := quick(b.Addrs())
	cfg.MaxBatch = 1
	cfg.DrainTimeout = 100 * time.Millisecond
	m := join(t, cfg, func(b *kafka.Batch, _ *kafka.Outbox) error {
		mu.Lock()
		at[b.Claim]++
		n := len(at)
		mu.Unlock()
		if n == partitions {
			b.Claim.Fail(errors.New("all are at work"))
		}
		<-goOn
		return nil
	})
	until(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(at) == 2*partitions
	}, "the claims are not read again")
	mu.Lock()
	for k, n := range at {
		require.Equal(t, 1, n, "batches of partition %d at work at once", k.Partition())
	}
	mu.Unlock()
	go func() { _ = m.Close() }() // nothing is read any more
	close(goOn)
}
