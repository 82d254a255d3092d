package router_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// One message of a batch fails. What is behind it of its key is parked with it,
// though it succeeded: its outputs would overtake. The rest is through.
func TestOfABatchAKeyIsParkedFromTheFirstOneThatFails(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var open atomic.Bool
	g := &gathering{max: 12, wait: time.Hour}
	g.fail = func(_ int, items []pipeline.Item[[]byte, []byte]) error {
		for _, item := range items {
			if item.Key == "key-0" && string(item.Body) == "1" && !open.Load() {
				item.Fail(errBoom)
			}
		}
		return nil
	}
	p := batchPipeline(g, pipeline.Retry(2, pipeline.Constant(0)), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	brokertest.ProduceTo(t, addrs, "batch.in", 0, numbered(3, 4)...)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 3 }, waitFor, tick)
	require.Eventually(t, func() bool { return r.Stats()[0].Out == 2*4+1 }, waitFor, tick)
	// They come for a parked key before the next batch is full: none of them is gathered.
	brokertest.ProduceTo(t, addrs, "batch.in", 0, numbered(3, 5)[3*4:3*4+1]...)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 4 }, waitFor, tick)
	open.Store(true)
	require.Eventually(t, func() bool { return r.Stats()[0].Out == 3*4+1 }, waitFor, tick)
	r.drained()
	out := brokertest.ReadAll(t, addrs, "batch.work")
	zero := slices.DeleteFunc(slices.Clone(out), func(r brokertest.Record) bool { return string(r.Key) != "key-0" })
	requireSequences(t, zero, 1, 5)
	rest := slices.DeleteFunc(out, func(r brokertest.Record) bool { return string(r.Key) == "key-0" })
	require.Len(t, rest, 8)
	require.Len(t, g.seen()[0], 12)
	require.Equal(t, []string{"1"}, g.seen()[1], "the second attempt of Retry is of what failed")
	for _, b := range g.seen()[2:] {
		require.Len(t, b, 1, "what is parked is tried as a batch of one")
	}
}

// At the bound the batch worker waits, and lets what is parked go on.
func TestABatchWaitsForRoom(t *testing.T) {
	t.Parallel()
	for _, policy := range []pipeline.PoisonPolicy{pipeline.GoOn, pipeline.HoldKey} {
		addrs := brokertest.New(t).Addrs()
		var open atomic.Bool
		g := &gathering{max: 5, wait: time.Millisecond, fail: func(int, []pipeline.Item[[]byte, []byte]) error {
			if open.Load() {
				return nil
			}
			return errBoom
		}}
		p := batchPipeline(g, pipeline.Retry(1, pipeline.Constant(0)), pipeline.OnPoison(policy), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
		r := start(t, addrs, p, router.Config{MaxParked: 3})
		brokertest.ProduceTo(t, addrs, "batch.in", 0, numbered(4, 5)...)
		require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 3 }, waitFor, tick)
		retried := r.Stats()[0].Retried
		require.Eventually(t, func() bool { return r.Stats()[0].Retried > retried+30 }, waitFor, tick)
		require.EqualValues(t, 3, r.Status().Stages[0].ParkedNow.Messages)
		open.Store(true)
		r.drained()
		requireSequences(t, brokertest.ReadAll(t, addrs, "batch.work"), 4, 5)
		r.stop()
	}
}
