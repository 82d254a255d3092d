package kafka_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// What follows on the offset of what was placed is in the same transaction: nobody
// sees the one without the other, and it has one end.
func TestWhatFollowsIsInTheTransactionOfWhatWasPlaced(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 4), brokertest.Topic("notes", 4)) // what is open in one hides what is behind
	var ends atomic.Int32
	b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Observe: true, Count: -1, When: func(kmsg.Request) bool {
		ends.Add(1)
		return true
	}})
	cfg := exactly(b.Addrs())
	cfg.Transactions.CommitInterval = 2 * time.Second // longer, if nothing follows
	cfg.Transactions.Timeout = time.Minute
	var mu sync.Mutex
	early, told := 0, 0
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		placed, stored := make(chan []int64, 1), make(chan []int64, 1)
		out := func(value string) []kafka.Output {
			return []kafka.Output{{Topic: "notes", Value: []byte(value), Placed: true, Partition: k.Partition()}}
		}
		if err := k.Place(out("first"), func(offsets []int64) { placed <- offsets }); err != nil {
			return err
		}
		at := <-placed
		mu.Lock()
		early += len(placedBy(t, b.Addrs(), k.Partition()))
		mu.Unlock()
		if err := k.Send(out(fmt.Sprintf("behind %d", at[0])), func(offsets []int64) { stored <- offsets }); err != nil {
			return err
		}
		<-stored
		got := placedBy(t, b.Addrs(), k.Partition())
		mu.Lock()
		defer mu.Unlock()
		if len(got) == 2 && string(got[0].Value) == "first" && string(got[1].Value) == fmt.Sprintf("behind %d", got[0].Offset) {
			told++
		}
		return nil
	}
	join(t, cfg, copied(20))
	until(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return told == 4
	}, "not all followed")
	mu.Lock()
	defer mu.Unlock()
	require.Zero(t, early, "nothing is committed before")
	require.EqualValues(t, 4, ends.Load(), "one transaction for each number")
}

// placedBy is what a number has committed.
func placedBy(t *testing.T, addrs []string, number int32) (got []brokertest.Record) {
	t.Helper()
	for _, r := range brokertest.ReadCommitted(t, addrs, "notes") {
		if r.Partition == number {
			got = append(got, r)
		}
	}
	return got
}

// What nothing follows is committed all the same.
func TestWhatWasPlacedIsCommittedByItself(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	cfg := exactly(b.Addrs())
	var placed atomic.Int32
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		return k.Place([]kafka.Output{{Topic: "out", Value: []byte("alone")}}, func([]int64) { placed.Add(1) })
	}
	join(t, cfg, copied(20))
	until(t, func() bool { return placed.Load() == 4 }, "not all are placed")
	until(t, func() bool { return len(brokertest.ReadCommitted(t, b.Addrs(), "out")) == 4 }, "not all are committed")
}
