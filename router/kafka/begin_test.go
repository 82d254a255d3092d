package kafka_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// A member's transactions go on while it takes over the partitions of another one, and
// nobody is told the offsets that they have not committed yet.
func TestATakeoverDoesNotWaitForTransactionsOfOtherPartitions(t *testing.T) {
	t.Parallel()
	const partitions = 4
	b := brokertest.New(t, brokertest.Topic("in", partitions), brokertest.Topic("out", 3))
	var mu sync.Mutex
	begun := map[int32]bool{}
	cfg := exactly(b.Addrs())
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		mu.Lock()
		defer mu.Unlock()
		begun[k.Partition()] = true
		return nil
	}
	has := func(n int) {
		t.Helper()
		until(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(begun) == n
		}, "the member does not begin its share")
	}
	other := join(t, exactly(b.Addrs()), copied(20))
	feed(t, b.Addrs(), 20, 20)
	until(t, func() bool { return done(t, b) }, "the first member is not done")
	m := join(t, cfg, copied(20))
	has(partitions / 2)
	var kept []int32
	mu.Lock()
	for p := range begun {
		kept = append(kept, p)
	}
	mu.Unlock()
	b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Topic: "in", Partitions: kept, Err: kerr.UnstableOffsetCommit, Count: -1})
	other.leave()
	has(partitions)
	feed(t, b.Addrs(), 20, 20)
	once(t, b)
	require.Empty(t, m.failures())
}

// What a claim puts out first does not wait for its transaction to be due: its
// partition has stood still for long enough.
func TestTheFirstOutputsOfAClaimDoNotWait(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	cfg := exactly(b.Addrs())
	cfg.CommitInterval = time.Hour // which has transactions end as well
	cfg.Transactions.CommitInterval = 5 * time.Minute
	cfg.Transactions.Timeout = 10 * time.Minute
	join(t, cfg, copied(1))
	feed(t, b.Addrs(), 1, 1)
	until(t, func() bool { return len(brokertest.ReadCommitted(t, b.Addrs(), "out")) == 1 }, "nothing is committed")
}
