package router_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// laned is a pipeline of one stage with lanes, over one partition.
func laned(f func(context.Context, *pipeline.Message[[]byte]) error, opts ...pipeline.Option[[]byte]) *pipeline.Pipeline {
	p := pipeline.New("laned")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(1))
	filter := filters.Func(func(ctx context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
		if err := f(ctx, m); err != nil {
			return err
		}
		out.Emit(m.Body)
		return nil
	})
	pipeline.Stage(in, "work", filter, append(opts, pipeline.Open())...)
	return p
}

// slow is long enough for a filter to be taken out of the loop.
const slow = 200 * time.Microsecond

func busy(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		continue
	}
}

func TestKeysRunSideBySideAndEachInOrder(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var mu sync.Mutex
	at := map[string]bool{}
	var most, now int
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		mu.Lock()
		require.False(t, at[m.Key], "two messages of key %s at once", m.Key)
		at[m.Key] = true
		now++
		most = max(most, now)
		mu.Unlock()
		busy(time.Duration(rand.Int64N(int64(slow))))
		mu.Lock()
		at[m.Key] = false
		now--
		mu.Unlock()
		return nil
	}, pipeline.Lanes(8))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(37, 100)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 37, 100)
	require.Greater(t, most, 1, "nothing ran side by side")
	require.LessOrEqual(t, most, 8)
}

// The filter waits for messages of other keys that come behind it: it can only
// go on when they run beside it.
func TestASlowMessageDoesNotStopOtherKeys(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	others := make(chan struct{})
	var passed atomic.Int32
	p := laned(func(ctx context.Context, m *pipeline.Message[[]byte]) error {
		if m.Key == "key-0" && string(m.Body) == "0" {
			busy(slow)
			select {
			case <-others:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if m.Key != "key-0" {
			busy(slow)
			if passed.Add(1) == 50 {
				close(others)
			}
		}
		return nil
	}, pipeline.Lanes(64))
	r := start(t, addrs, p, router.Config{})
	// First some that let the stage see that its filter is slow.
	brokertest.Produce(t, addrs, "laned.in", prefixed("warm-up", 1, 20)...)
	r.drained()
	brokertest.Produce(t, addrs, "laned.in", numbered(30, 10)...)
	r.drained()
	require.GreaterOrEqual(t, passed.Load(), int32(50))
}

func TestAKeyThatWaitsForItsRetryHoldsUpNobody(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	others := make(chan struct{})
	var passed atomic.Int32
	var fails atomic.Int32
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		switch {
		case m.Key == "key-0" && string(m.Body) == "0":
			select {
			case <-others: // all other keys are through
				return nil
			default:
				fails.Add(1)
				return errBoom
			}
		case m.Key != "key-0":
			if passed.Add(1) == 29*10 {
				close(others)
			}
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(1_000_000, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(30, 10)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 30, 10)
	require.Positive(t, fails.Load())
	require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work.poison"))
}

func TestOrderHoldsWhileTheFilterChangesItsPaceAndFails(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var calls atomic.Int64
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error {
		n := calls.Add(1)
		if n/500%2 == 1 { // slow and fast in turn
			busy(50 * time.Microsecond)
		}
		if n%97 == 0 {
			return errBoom
		}
		return nil
	}, pipeline.Lanes(16), pipeline.Retry(20, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(50, 200)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 50, 200)
}

func TestAStopRepeatsNothingOfTheLanes(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error { busy(slow); return nil }, pipeline.Lanes(16))
	for i := range 5 {
		r := start(t, addrs, p, router.Config{})
		before := r.Stats()[0].In
		brokertest.Produce(t, addrs, "laned.in", numbered(30, 20*(i+1))[30*20*i:]...)
		require.Eventually(t, func() bool { return r.Stats()[0].In > before+50 }, waitFor, time.Millisecond)
		r.stop()
	}
	r := start(t, addrs, p, router.Config{})
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 30, 100)
}

func TestMessagesWithoutAKeyDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var passed atomic.Int32
	others := make(chan struct{})
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		if string(m.Body) == "0" {
			select {
			case <-others:
				return nil
			default:
				return errBoom
			}
		}
		if passed.Add(1) == 99 {
			close(others)
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(1_000_000, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	records := numbered(1, 100)
	for i := range records {
		records[i].Key = nil
	}
	brokertest.Produce(t, addrs, "laned.in", records...)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 100)
}

// prefixed is numbered with other keys.
func prefixed(prefix string, keys, n int) []brokertest.Record {
	records := numbered(keys, n)
	for i := range records {
		records[i].Key = fmt.Appendf(nil, "%s-%s", prefix, records[i].Key)
	}
	return records
}

// A stop parks what waits for its next attempt: what other keys did meanwhile is
// not repeated.
func TestAStopRepeatsNothingThoughMessagesWait(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error {
		if rand.IntN(5) == 0 {
			return errBoom
		}
		return nil
	}, pipeline.Lanes(16), pipeline.Retry(30, pipeline.Constant(50*time.Millisecond)))
	for i := range 5 {
		r := start(t, addrs, p, router.Config{})
		before := r.Stats()[0].Retried
		brokertest.Produce(t, addrs, "laned.in", numbered(30, 20*(i+1))[30*20*i:]...)
		require.Eventually(t, func() bool { return r.Stats()[0].Retried > before+5 }, waitFor, time.Millisecond)
		r.stop()
	}
	r := start(t, addrs, p, router.Config{})
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 30, 100)
}
