package kafka_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// together subscribes to "in" with so many messages of a partition at a time.
func together(t *testing.T, addrs []string, unacked int) (*kafka.Subscriber, <-chan *message.Message) {
	t.Helper()
	cfg := quick(addrs)
	cfg.Batches = false
	cfg.MaxUnacked = unacked
	cfg.NackBackoff = tick
	sub, err := kafka.NewSubscriber(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sub.Close()) })
	messages, err := sub.Subscribe(t.Context(), "in")
	require.NoError(t, err)
	return sub, messages
}

// produced writes the numbers from first on to "in".
func produced(t testing.TB, b *broker.Broker, first, n int) {
	t.Helper()
	var records []brokertest.Record
	for i := range n {
		records = append(records, brokertest.Record{Value: fmt.Append(nil, first+i)})
	}
	brokertest.Produce(t, b.Addrs(), "in", records...)
}

func TestSeveralMessagesOfAPartitionMayBeUnacknowledged(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	_, messages := together(t, b.Addrs(), 10)
	produced(t, b, 0, 30)
	var held []*message.Message
	for range 10 {
		held = append(held, <-messages)
	}
	select {
	case m := <-messages:
		t.Fatalf("an eleventh message is delivered: %s", m.Payload)
	case <-time.After(10 * tick):
	}
	for _, m := range held[1:] {
		require.True(t, m.Ack())
	}
	for range 9 { // the places that became free
		held = append(held, <-messages)
	}
	require.Zero(t, committed(b)[0], "nothing is committed past the first one")
	for _, m := range held[10:] {
		require.True(t, m.Ack())
	}
	require.True(t, held[0].Nack(), "refused: delivered again")
	seen := map[string]bool{}
	for len(seen) < 12 { // the refused one, and the eleven that are left
		m := <-messages
		seen[string(m.Payload)] = true
		m.Ack()
	}
	require.True(t, seen[string(held[0].Payload)])
	caughtUp(t, b)
}

func TestACloseRepeatsOnlyWhatWasNotAcknowledged(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	var mu sync.Mutex
	got := map[string]int{}
	for round := range 5 {
		sub, messages := together(t, b.Addrs(), 8)
		produced(t, b, 40*round, 40)
		var handlers sync.WaitGroup
		some := make(chan struct{}, 1000)
		handlers.Go(func() {
			for m := range messages {
				handlers.Go(func() {
					mu.Lock()
					got[string(m.Payload)]++
					mu.Unlock()
					m.Ack()
					some <- struct{}{}
				})
			}
		})
		for range 10 {
			<-some
		}
		require.NoError(t, sub.Close())
		handlers.Wait()
	}
	_, messages := together(t, b.Addrs(), 8)
	go func() {
		for m := range messages {
			mu.Lock()
			got[string(m.Payload)]++
			mu.Unlock()
			m.Ack()
		}
	}()
	caughtUp(t, b)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "in"), 200)
	mu.Lock()
	defer mu.Unlock()
	total := 0
	for _, n := range got {
		total += n
	}
	require.Equal(t, 200, total, "nothing is lost or repeated")
}
