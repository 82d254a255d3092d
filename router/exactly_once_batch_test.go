package router_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// fated is a batch filter whose messages fail and are rejected as fateOf says.
type fated struct {
	stage  string
	copies int

	mu    sync.Mutex
	tries map[string]int
	most  int // messages in a batch
}

func (f *fated) Batch() (int, time.Duration) { return 8, 2 * time.Millisecond }

func (f *fated) Filter(context.Context, *pipeline.Message[[]byte], *pipeline.Emitter[[]byte]) error {
	return fmt.Errorf("a batch filter was given a single message: %w", errBoom)
}

func (f *fated) FilterBatch(_ context.Context, items []pipeline.Item[[]byte, []byte]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.most = max(f.most, len(items))
	for _, item := range items {
		failures, rejected := fateOf(f.stage, item.Key, string(item.Body))
		of := item.Key + "/" + string(item.Body)
		f.tries[of]++
		switch {
		case rejected:
			item.Fail(filters.Reject(errBoom))
		case f.tries[of] <= failures:
			item.Fail(errBoom)
		}
		for i := range f.copies { // also of what fails: none of that may be seen
			item.Out.Emit(fmt.Appendf(nil, "%s.%d", item.Body, i))
		}
	}
	return nil
}

// exactlyInBatches is exactly with batch filters.
func exactlyInBatches(first, second *fated) *pipeline.Pipeline {
	p := pipeline.New("exactly")
	settings := []pipeline.Option[[]byte]{
		pipeline.Partitions(2), pipeline.Retry(2, pipeline.Constant(time.Millisecond)), pipeline.Park(10, pipeline.Constant(2*time.Millisecond)),
		pipeline.ExactlyOnce(), pipeline.CommitEvery(5*time.Millisecond, 50),
	}
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(3))
	between := pipeline.Stage(in, "first", first, settings...)
	pipeline.Stage(between, "second", second, append(settings, pipeline.Open())...)
	return p
}

// What a batch makes is there once too, whoever of its messages fails, is parked or
// poisoned, and whatever becomes of those who run it.
func TestExactlyOnceInBatchesOverMembersThatComeAndGo(t *testing.T) {
	t.Parallel()
	first, second := &fated{stage: "first", copies: 2, tries: map[string]int{}}, &fated{stage: "second", copies: 1, tries: map[string]int{}}
	comeAndGo(t, func() *pipeline.Pipeline { return exactlyInBatches(first, second) })
	require.Greater(t, first.most, 1, "there were batches")
}

// A stage that does not park serves replays too: what comes of one is in a transaction
// with its end. Where that fails nothing is seen, and the replay runs again.
func TestExactlyOnceAReplayOfAStageThatDoesNotPark(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	var mu sync.Mutex
	accept, runs := false, 0
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		mu.Lock()
		defer mu.Unlock()
		if string(m.Body) != "bad" {
			return nil
		}
		if !accept {
			return filters.Reject(errBoom)
		}
		runs++
		if runs == 1 { // its START is stored, its DONE will be refused for good
			b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "laned.work.retry.in", Err: kerr.PolicyViolation, Count: 1})
		}
		return nil
	}, pipeline.ExactlyOnce(), pipeline.Lanes(2))
	r := start(t, addrs, p, router.Config{})
	key := []byte("k")
	brokertest.Produce(t, addrs, "laned.in", brokertest.Record{Key: key, Value: []byte("bad")}, brokertest.Record{Key: key, Value: []byte("behind")})
	r.drained()
	require.Equal(t, []string{"behind"}, values(brokertest.ReadCommitted(t, addrs, "laned.work")))
	require.Len(t, brokertest.ReadCommitted(t, addrs, "laned.work.poison"), 1)

	mu.Lock()
	accept = true
	mu.Unlock()
	log := openPoison(t, addrs)
	result, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, result.Done)
	require.Eventually(t, func() bool { return len(brokertest.ReadCommitted(t, addrs, "laned.work")) > 1 }, waitFor, tick)
	r.drained()
	require.Equal(t, []string{"behind", "bad"}, values(brokertest.ReadCommitted(t, addrs, "laned.work")))
	mu.Lock()
	defer mu.Unlock()
	require.Greater(t, runs, 1, "it was run again")
	require.Equal(t, router.PoisonReplayed, statesOf(t, log)["0"])
}
