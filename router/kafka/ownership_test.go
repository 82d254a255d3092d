package kafka_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// hands notes who works on which partition number, of whatever topic.
type hands struct {
	mu     sync.Mutex
	at     map[int32]map[string]int // number → member → calls under way
	splits []string
	seen   map[string]map[string]bool // member → topic/partition
}

func (h *hands) enter(member string, b *kafka.Batch) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := b.Claim.Partition()
	if h.at[n] == nil {
		h.at[n] = map[string]int{}
	}
	h.at[n][member]++
	if len(h.at[n]) > 1 {
		h.splits = append(h.splits, fmt.Sprintf("number %d: %v", n, h.at[n]))
	}
	if h.seen[member] == nil {
		h.seen[member] = map[string]bool{}
	}
	h.seen[member][fmt.Sprintf("%s/%d", b.Claim.Topic(), n)] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.at[n][member]--
		if h.at[n][member] == 0 {
			delete(h.at[n], member)
		}
	}
}

func TestAPartitionNumberOfAllTopicsIsInOneHand(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t, brokertest.Topic("in", 6), brokertest.Topic("in2", 6), brokertest.Topic("out", 1)).Addrs()
	h := &hands{at: map[int32]map[string]int{}, seen: map[string]map[string]bool{}}
	var joins [4]atomic.Int32
	start := func(i int) *member {
		cfg := quick(addrs)
		cfg.MaxBatch = 5
		cfg.Topics = func(string) []string { return []string{"in", "in2"} }
		cfg.OnJoin = func(map[string][]int32) { joins[i].Add(1) }
		name := fmt.Sprintf("m%d", i)
		return join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
			defer h.enter(name, b)()
			return slowly(b, out)
		})
	}
	stop, fed := make(chan struct{}), make(chan struct{})
	var sent atomic.Int64
	go func() {
		defer close(fed)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, topic := range []string{"in", "in2"} {
				var records []brokertest.Record
				for i := range 60 {
					records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "k%d", i), Value: []byte("v")})
				}
				sent.Add(int64(len(brokertest.Produce(t, addrs, topic, records...))))
			}
		}
	}()
	var members []*member
	for i := range 4 {
		members = append(members, start(i))
		until(t, func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return len(h.seen[fmt.Sprintf("m%d", i)]) >= 2
		}, fmt.Sprintf("member %d gets its share", i))
	}
	members[0].leave()
	members[2].leave()
	close(stop)
	<-fed
	until(t, func() bool { return int64(len(brokertest.ReadAll(t, addrs, "out"))) >= sent.Load() }, "all is through")
	require.Len(t, brokertest.ReadAll(t, addrs, "out"), int(sent.Load()), "nothing is repeated by a rebalance")
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Empty(t, h.splits)
	for i, m := range members {
		require.Empty(t, m.failures())
		require.EqualValues(t, 1, joins[i].Load(), "a rebalance does not end the session of member %d", i)
	}
}

// A static member that comes back within its session has its claims again
// without a rebalance of the others.
func TestAStaticMemberComesBackToItsClaims(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	cfg := quick(b.Addrs())
	cfg.SessionTimeout = 20 * time.Second
	var mu sync.Mutex
	got := map[string][]map[string][]int32{}
	static := func(id string) kafka.SubscriberConfig {
		own := cfg
		own.InstanceID = id
		own.OnJoin = func(claims map[string][]int32) {
			mu.Lock()
			defer mu.Unlock()
			got[id] = append(got[id], claims)
		}
		return own
	}
	first := join(t, static("a"), copied(10))
	join(t, static("b"), copied(10))
	stable(t, b, 2)
	feed(t, b.Addrs(), 20, 10)
	caughtUp(t, b)
	first.leave()
	feed(t, b.Addrs(), 20, 10)
	join(t, static("a"), copied(10))
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, got["b"], 1, "the other one saw no rebalance")
}
