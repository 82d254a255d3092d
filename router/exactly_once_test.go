package router_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// fateOf is what becomes of a message at a stage, the same in every run: how many
// attempts fail first, or that it is rejected.
func fateOf(stage, key, value string) (failures int, rejected bool) {
	h := fnv.New32a()
	fmt.Fprint(h, stage, "/", key, "/", value)
	n := h.Sum32()
	if n%31 == 0 {
		return 0, true
	}
	if n%5 > 0 {
		return 0, false
	}
	return int(n/5%4) + 1, false
}

// exactly is a pipeline of two stages, each exactly once, that fail, park and poison
// as fateOf says. The first makes two messages of each of its own.
func exactly(lanes int, opts ...pipeline.Setting) *pipeline.Pipeline {
	p := pipeline.New("exactly")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(3))
	settings := append([]pipeline.Setting{
		pipeline.Lanes(lanes), pipeline.Retry(2, pipeline.Constant(time.Millisecond)), pipeline.Park(10, pipeline.Constant(2*time.Millisecond)),
		pipeline.ExactlyOnce(), pipeline.CommitEvery(5*time.Millisecond, 50),
	}, opts...)
	stage := func(in pipeline.Pipe[[]byte], name string, copies int, more ...pipeline.Option[[]byte]) pipeline.Pipe[[]byte] {
		f := filters.Func(func(ctx context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
			failures, rejected := fateOf(name, m.Key, string(m.Body))
			switch {
			case rejected:
				return filters.Reject(errBoom)
			case pipeline.FromContext(ctx).Attempt <= failures:
				return errBoom
			}
			for i := range copies {
				out.Emit(fmt.Appendf(nil, "%s.%d", m.Body, i))
			}
			return nil
		})
		for _, s := range settings {
			more = append(more, s)
		}
		return pipeline.Stage(in, name, f, more...)
	}
	stage(stage(in, "first", 2, pipeline.Partitions(2)), "second", 1, pipeline.Partitions(2), pipeline.Open())
	return p
}

// wanted is what a run without any failure of a process leaves of n messages of each
// key: the messages of second, by key in order, and how many each stage poisons.
func wanted(keys, n int) (second map[string][]string, poison map[string]int) {
	second, poison = map[string][]string{}, map[string]int{}
	for k := range keys {
		key := fmt.Sprintf("key-%d", k)
		for i := range n {
			if _, rejected := fateOf("first", key, fmt.Sprint(i)); rejected {
				poison["first"]++
				continue
			}
			for c := range 2 {
				value := fmt.Sprintf("%d.%d", i, c)
				if _, rejected := fateOf("second", key, value); rejected {
					poison["second"]++
					continue
				}
				second[key] = append(second[key], value+".0")
			}
		}
	}
	return second, poison
}

// byKey are the values of records, by key in order.
func byKey(records []brokertest.Record) map[string][]string {
	values := map[string][]string{}
	for _, r := range records {
		values[string(r.Key)] = append(values[string(r.Key)], string(r.Value))
	}
	return values
}

// requireExactly checks all that a run has left for a reader of committed records.
func requireExactly(t testing.TB, addrs []string, keys, n int) {
	t.Helper()
	second, poison := wanted(keys, n)
	out := brokertest.ReadCommitted(t, addrs, "exactly.second")
	require.Equal(t, second, byKey(out))
	ids := map[string]bool{}
	for _, r := range out {
		require.False(t, ids[header(r, "ce_id")], "an id is there twice")
		ids[header(r, "ce_id")] = true
	}
	for stage, n := range poison {
		require.Len(t, brokertest.ReadCommitted(t, addrs, "exactly."+stage+".poison"), n, stage)
	}
}

// follower reads a topic while it is written, as any reader of committed records.
type follower struct {
	client *kgo.Client
	done   chan struct{}

	mu      sync.Mutex
	records []brokertest.Record
}

func follow(t testing.TB, addrs []string, topic string) *follower {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	f := &follower{client: client, done: make(chan struct{})}
	go f.run()
	t.Cleanup(f.close)
	return f
}

func (f *follower) run() {
	defer close(f.done)
	for {
		fetches := f.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		f.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			f.records = append(f.records, brokertest.Record{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value})
		})
		f.mu.Unlock()
	}
}

func (f *follower) close() {
	f.client.Close()
	<-f.done
}

// requireSame checks that what was seen while it was written is what is there now.
func (f *follower) requireSame(t testing.TB, want []brokertest.Record) {
	t.Helper()
	seen := func() []brokertest.Record {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.Clone(f.records)
	}
	require.Eventually(t, func() bool { return len(seen()) >= len(want) }, waitFor, tick)
	require.Equal(t, byKey(want), byKey(seen()))
}

// Two processes share two stages that are exactly once and fail, park and poison. One
// of them joins and leaves, is cut short, and loses its producers at any time. Who
// reads committed records sees what a run without all that would leave: concurrently,
// and at the end.
func TestExactlyOnceOverMembersThatComeAndGo(t *testing.T) {
	t.Parallel()
	for _, lanes := range []int{1, 4} {
		t.Run(fmt.Sprint(lanes), func(t *testing.T) {
			t.Parallel()
			comeAndGo(t, func() *pipeline.Pipeline { return exactly(lanes) })
		})
	}
}

// comeAndGo runs a pipeline whose stages do what fateOf says.
func comeAndGo(t *testing.T, declare func() *pipeline.Pipeline) {
	t.Helper()
	const keys, n, rounds = 15, 80, 8
	b := brokertest.New(t)
	addrs := b.Addrs()
	cfg := router.Config{StopTimeout: 20 * time.Millisecond}
	steady := start(t, addrs, declare(), cfg)
	concurrent := follow(t, addrs, "exactly.second")
	records := numbered(keys, n)
	var other *running
	for i := range rounds {
		brokertest.Produce(t, addrs, "exactly.in", records[i*len(records)/rounds:(i+1)*len(records)/rounds]...)
		switch i % 4 {
		case 0:
			other = start(t, addrs, declare(), cfg) // some partitions go there
		case 1, 2:
			topic := []string{"exactly.second", "exactly.first", "exactly.first.retry.in", "exactly.second.retry.first"}[i/4*2+i%2]
			h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.InvalidProducerEpoch, Count: 1})
			ctx, cancel := context.WithTimeout(t.Context(), waitFor)
			require.NoError(t, h.Wait(ctx, 1))
			cancel()
		case 3:
			other.cut()
		}
	}
	steady.drained()
	requireExactly(t, addrs, keys, n)
	final := brokertest.ReadCommitted(t, addrs, "exactly.second")
	concurrent.requireSame(t, final)
}
