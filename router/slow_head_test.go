package router_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/internal/parking"
)

// crowded is a configuration in which few messages may be in flight.
func crowded() router.Config {
	return router.Config{MaxInFlight: inFlight, StopTimeout: 100 * time.Millisecond}
}

const inFlight = 200

// headed are the records of a slow head, key-0's first message, and of other keys
// behind it: far more than may be in flight.
func headed() []brokertest.Record {
	head := []brokertest.Record{{Key: []byte("head"), Value: []byte("0")}, {Key: []byte("head"), Value: []byte("1")}}
	return append(head, numbered(30, 100)...)
}

// A message that waits for its next attempt, again and again, keeps nobody waiting:
// when too much is held in memory behind it, it goes to the retry log, where its
// attempts go on counting, and what is behind it of its key goes there too.
func TestAHeadThatWaitsMakesWay(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var open atomic.Bool
	var attempts atomic.Int64
	p := laned(func(ctx context.Context, m *pipeline.Message[[]byte]) error {
		if m.Key != "head" || string(m.Body) != "0" {
			return nil
		}
		if a := int64(pipeline.FromContext(ctx).Attempt); !attempts.CompareAndSwap(a-1, a) {
			t.Errorf("attempt %d comes behind %d", a, attempts.Load())
		}
		if open.Load() {
			return nil
		}
		return errBoom
	}, pipeline.ExactlyOnce(), pipeline.Lanes(4), pipeline.Retry(1000, pipeline.Constant(900*time.Millisecond)))
	r := start(t, addrs, p, crowded())
	brokertest.Produce(t, addrs, "laned.in", headed()...)
	require.Eventually(t, func() bool { return len(brokertest.ReadCommitted(t, addrs, "laned.work")) == 30*100 }, waitFor, tick)
	require.Equal(t, int64(2), r.Status().Stages[0].ParkedNow.Messages)
	open.Store(true)
	r.drained()
	out := brokertest.ReadCommitted(t, addrs, "laned.work")
	require.Equal(t, []string{"0", "1"}, byKey(out)["head"])
	requireSequences(t, without(out, "head"), 30, 100)
}

// A call that hangs until its context ends does not keep the pipe waiting, and is no
// attempt: what it holds in memory is bounded, and the message is parked.
func TestAHeadThatHangsMakesWay(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var open atomic.Bool
	p := laned(func(ctx context.Context, m *pipeline.Message[[]byte]) error {
		busy(slow) // so that the lanes are in use
		if m.Key != "head" || string(m.Body) != "0" {
			return nil
		}
		if a := pipeline.FromContext(ctx).Attempt; a != 1 {
			t.Errorf("it is attempt %d, though none has ended by itself", a)
		}
		if open.Load() {
			return nil
		}
		<-ctx.Done()
		return filters.Reject(ctx.Err()) // also what would poison it at once does not count
	}, pipeline.ExactlyOnce(), pipeline.Lanes(4), pipeline.Retry(1, pipeline.Constant(0)))
	r := start(t, addrs, p, crowded())
	const warm = 20
	brokertest.Produce(t, addrs, "laned.in", prefixed("warm-up", 1, warm)...)
	r.drained()
	brokertest.Produce(t, addrs, "laned.in", headed()...)
	// The last ones of the lane of the head may have to wait for it: they crowd nobody.
	require.Eventually(t, func() bool { return len(brokertest.ReadCommitted(t, addrs, "laned.work")) > warm+30*100-inFlight }, waitFor, tick)
	require.GreaterOrEqual(t, r.Status().Stages[0].ParkedNow.Messages, int64(1))
	for _, e := range retryLog(t, addrs, "laned.work.retry.in") {
		if park, ok := e.Event.(*parking.Park); ok {
			require.Zero(t, park.Attempts)
		}
	}
	open.Store(true)
	r.cut() // ends the call that hangs, which is no attempt either
	r = start(t, addrs, p, router.Config{})
	r.drained()
	out := brokertest.ReadCommitted(t, addrs, "laned.work")
	require.Equal(t, []string{"0", "1"}, byKey(out)["head"])
	require.Empty(t, brokertest.ReadCommitted(t, addrs, "laned.work.poison"))
	requireSequences(t, without(out, "warm-up-key-0", "head"), 30, 100)
}
