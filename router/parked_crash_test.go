package router_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// flaky is a pipeline of one stage whose attempts fail one time in seven.
func flaky(lanes int) *pipeline.Pipeline {
	p := pipeline.New("flaky")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(3))
	pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v []byte) ([]byte, error) {
		if rand.N(7) == 0 {
			return nil, errBoom
		}
		return v, nil
	}), pipeline.Lanes(lanes), pipeline.Partitions(1), pipeline.Open(),
		pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1000, pipeline.Constant(2*time.Millisecond)))
	return p
}

// Two processes share a stage whose attempts fail now and then. Their memberships
// fail at random moments, and one of them is cut short and started again. Nothing
// is lost, and every key keeps its order: what is repeated begins no further back
// than it was and goes on one by one.
func TestOrderHoldsOverFailuresAndTakeovers(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		t.Run(fmt.Sprint(round), func(t *testing.T) { t.Parallel(); takeovers(t, []int{1, 4, 16}[round]) })
	}
}

func takeovers(t *testing.T, lanes int) {
	t.Helper()
	const keys, n, rounds = 20, 120, 6
	b := brokertest.New(t)
	addrs := b.Addrs()
	cfg := router.Config{StopTimeout: 20 * time.Millisecond, CommitInterval: 10 * time.Millisecond}
	steady := start(t, addrs, flaky(lanes), cfg)
	records := numbered(keys, n)
	var other *running
	for i := range rounds {
		part := records[i*len(records)/rounds : (i+1)*len(records)/rounds]
		brokertest.Produce(t, addrs, "flaky.in", part...)
		switch i % 3 {
		case 0:
			other = start(t, addrs, flaky(lanes), cfg) // half of the partitions go there
		case 1:
			fault := kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: []string{"flaky.work", "flaky.work.retry.in"}[i/3%2], Err: kerr.InvalidProducerEpoch, Count: 1}
			h := b.Cluster().Fault(fault)
			ctx, cancel := context.WithTimeout(t.Context(), waitFor)
			require.NoError(t, h.Wait(ctx, 1))
			cancel()
		case 2:
			other.cut()
		}
	}
	steady.drained()
	requireRewinds(t, brokertest.ReadAll(t, addrs, "flaky.work"), keys, n)
	require.Empty(t, brokertest.ReadAll(t, addrs, "flaky.work.poison"))
	requireFolded(t, addrs, steady, "flaky.in", "flaky.work.retry.in")
	requireOneWriterAnEpoch(t, retryLog(t, addrs, "flaky.work.retry.in"))
}

// cut stops a router, which may not have the time to drain.
func (r *running) cut() {
	r.t.Helper()
	r.cancel()
	select {
	case err := <-r.stopped: // that not all was drained may be one
		r.t.Log("cut short:", err)
	case <-time.After(time.Minute):
		r.t.Fatal("the router does not stop")
	}
	r.stopped = nil
}
