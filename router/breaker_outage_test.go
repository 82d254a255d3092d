package router_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// service is what a filter calls. It can be down, also from one of its calls
// on, and knows how often it was called then and how often side by side.
type service struct {
	down             atomic.Bool
	good             atomic.Int64 // calls until it goes down by itself
	calls, now, most atomic.Int64
}

func (s *service) call(context.Context) error {
	busy(slow)
	if s.good.Add(-1) == 0 {
		s.down.Store(true)
	}
	if !s.down.Load() {
		return nil
	}
	s.calls.Add(1)
	for n := s.now.Add(1); ; { // the most so far
		most := s.most.Load()
		if n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	busy(slow)
	s.now.Add(-1)
	return errBoom
}

// guarded is a pipeline of one stage, "guarded.work", that calls the service.
func guarded(f pipeline.Filter[[]byte, []byte], partitions int, opts ...pipeline.Option[[]byte]) *pipeline.Pipeline {
	p := pipeline.New("guarded")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(partitions))
	pipeline.Stage(in, "work", f, append(opts, pipeline.Open())...)
	return p
}

// calling are the ways in which a stage works, each calling the service.
func calling(s *service) map[string]*pipeline.Pipeline {
	one := filters.Map(func(ctx context.Context, v []byte) ([]byte, error) { return v, s.call(ctx) })
	breaker := pipeline.Breaker(2, pipeline.Exponential(time.Millisecond, 4*time.Millisecond))
	retry := pipeline.Retry(2, pipeline.Constant(time.Millisecond))
	batch := &gathering{max: 10, wait: time.Millisecond, fail: func(int, []pipeline.Item[[]byte, []byte]) error { return s.call(context.Background()) }}
	return map[string]*pipeline.Pipeline{
		"lanes":   guarded(one, 2, pipeline.Lanes(8), breaker, retry),
		"inline":  guarded(one, 4, pipeline.Lanes(1), breaker, retry),
		"batches": guarded(batch, 4, breaker, retry),
	}
}

func breakerOf(r *running) router.BreakerStatus { return r.Status().Stages[0].Breaker }

// awaitProbes waits until n probes have failed.
func awaitProbes(t *testing.T, r *running, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return breakerOf(r).FailedProbes >= n }, waitFor, time.Millisecond)
}

func TestAnOutageIsProbedAndPoisonsNothing(t *testing.T) {
	t.Parallel()
	const keys, each = 20, 60
	for name := range calling(&service{}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			var s service
			s.good.Store(20) // it goes down under load: there are 60 batches or 600 messages
			r := start(t, addrs, calling(&s)[name], router.Config{})
			records := numbered(keys, each)
			brokertest.Produce(t, addrs, "guarded.in", records[:len(records)/2]...)
			awaitProbes(t, r, 2)
			brokertest.Produce(t, addrs, "guarded.in", records[len(records)/2:]...)

			// From here on nothing that began before it opened is under way.
			require.Eventually(t, func() bool { return s.now.Load() == 0 }, waitFor, tick)
			awaitProbes(t, r, breakerOf(r).FailedProbes+2)
			s.most.Store(0)
			calls, probes := s.calls.Load(), breakerOf(r).FailedProbes
			awaitProbes(t, r, probes+10)
			require.EqualValues(t, 1, s.most.Load(), "one call at a time")
			require.LessOrEqual(t, s.calls.Load()-calls, int64(breakerOf(r).FailedProbes-probes+2), "and each is a probe")
			require.ErrorIs(t, breakerOf(r).Cause, errBoom)
			require.Zero(t, r.Stats()[0].Poisoned)

			s.down.Store(false)
			r.drained()
			requireSequences(t, brokertest.ReadAll(t, addrs, "guarded.work"), keys, each)
			require.Empty(t, brokertest.ReadAll(t, addrs, "guarded.work.poison"))
			require.Equal(t, router.BreakerClosed, breakerOf(r).State)
			require.Positive(t, breakerOf(r).Opened)
		})
	}
}

func TestAStopDoesNotWaitForTheEndOfAnOutage(t *testing.T) {
	t.Parallel()
	const keys, each = 20, 20
	for name := range calling(&service{}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			var s service
			s.down.Store(true)
			p := calling(&s)[name]
			r := start(t, addrs, p, router.Config{StopTimeout: time.Hour})
			brokertest.Produce(t, addrs, "guarded.in", numbered(keys, each)...)
			awaitProbes(t, r, 3)
			r.stop()
			require.Empty(t, brokertest.ReadAll(t, addrs, "guarded.work.poison"))

			s.down.Store(false)
			r = start(t, addrs, p, router.Config{})
			r.drained()
			requireSequences(t, brokertest.ReadAll(t, addrs, "guarded.work"), keys, each)
		})
	}
}

func TestWhatOpensABreaker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail  func(ctx context.Context) error
		opens int64
	}{
		"an error":        {func(context.Context) error { return errBoom }, 1},
		"a later attempt": {func(context.Context) error { return filters.RetryAfter(time.Millisecond, errBoom) }, 1},
		"a panic":         {func(context.Context) error { panic(errBoom) }, 1},
		"a time-out":      {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 1},
		"a rejection":     {func(context.Context) error { return filters.Reject(errBoom) }, 0},
		"a skip":          {func(context.Context) error { return fmt.Errorf("not today: %w", filters.Skip) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			var calls atomic.Int32
			f := filters.Map(func(ctx context.Context, v []byte) ([]byte, error) {
				if calls.Add(1) == 1 {
					return v, c.fail(ctx)
				}
				return v, nil
			})
			p := guarded(f, 1, pipeline.Breaker(1, pipeline.Constant(time.Millisecond)),
				pipeline.Retry(1, pipeline.Backoff{}), pipeline.Timeout(50*time.Millisecond))
			r := start(t, addrs, p, router.Config{})
			brokertest.Produce(t, addrs, "guarded.in", numbered(1, 3)...)
			r.drained()
			require.Equal(t, c.opens, breakerOf(r).Opened)
			require.Equal(t, router.BreakerClosed, breakerOf(r).State)
			require.Len(t, brokertest.ReadAll(t, addrs, "guarded.work"), 2+int(c.opens), "an attempt that opens it does not count")
		})
	}
}

// A message that fails for reasons of its own is not the only one to probe.
func TestABadMessageDoesNotKeepABreakerOpen(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		busy(slow)
		if m.Key == "key-0" && string(m.Body) == "0" {
			return errBoom
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(2, pipeline.Constant(0)), pipeline.Breaker(1, pipeline.Constant(2*time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 3)...) // alone it opens the breaker, and stays
	awaitProbes(t, r, 3)
	require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work.poison"))
	brokertest.Produce(t, addrs, "laned.in", prefixed("other", 10, 3)...)
	require.Eventually(t, func() bool { return r.Stats()[0].Out == 30 }, waitFor, tick, "others probe too, and go on")
	r.stop()
}

func TestAnOutageUsesUpNoAttempts(t *testing.T) {
	t.Parallel()
	for name, lanes := range map[string]int{"lanes": 4, "inline": 1, "batches": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			attempts := make(chan int, 100)
			fails := func(attempt int) error {
				attempts <- attempt
				if len(attempts) > 8 {
					return nil
				}
				return errBoom
			}
			guard := pipeline.Options(pipeline.Breaker(2, pipeline.Constant(time.Millisecond)), pipeline.Retry(2, pipeline.Constant(0)))
			p := guarded(filters.Func(func(_ context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
				out.Emit(m.Body)
				return fails(m.Attempt)
			}), 1, guard, pipeline.Lanes(max(lanes, 1)))
			if lanes == 0 {
				p = guarded(&gathering{max: 1, fail: func(_ int, items []pipeline.Item[[]byte, []byte]) error {
					return fails(items[0].Attempt)
				}}, 1, guard)
			}
			r := start(t, addrs, p, router.Config{})
			brokertest.Produce(t, addrs, "guarded.in", numbered(1, 1)...)
			r.drained()
			require.Len(t, brokertest.ReadAll(t, addrs, "guarded.work"), 1)
			close(attempts)
			var made []int
			for a := range attempts {
				made = append(made, a)
			}
			require.Equal(t, []int{1, 2, 2, 2, 2, 2, 2, 2, 2}, made, "the first failure counts, the one that opens it and those of probes do not")
		})
	}
}
