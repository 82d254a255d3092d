package router

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

var errDown = errors.New("no answer")

func testBreaker(failures int, probe pipeline.Backoff) *breaker {
	return newBreaker(failures, probe, slog.New(slog.DiscardHandler))
}

// opened is a breaker that two failures in a row have opened.
func opened(t *testing.T, probe pipeline.Backoff) *breaker {
	t.Helper()
	b := testBreaker(2, probe)
	first, _ := b.pass()
	counts, _ := b.failed(first, errDown)
	require.True(t, counts, "one failure is one")
	second, _ := b.pass()
	counts, _ = b.failed(second, errDown)
	require.False(t, counts, "the attempt that opens it does not count")
	_, ok := b.pass()
	require.False(t, ok)
	return b
}

func TestFailuresInARowOpenABreaker(t *testing.T) {
	t.Parallel()
	b := testBreaker(2, pipeline.Constant(time.Second))
	for range 5 { // never two in a row
		turn, ok := b.pass()
		require.True(t, ok)
		counts, _ := b.failed(turn, errDown)
		require.True(t, counts)
		turn, _ = b.pass()
		b.succeeded(turn)
	}
	require.Equal(t, BreakerStatus{State: BreakerClosed}, b.status())
	require.Equal(t, BreakerOpen, opened(t, pipeline.Constant(time.Hour)).status().State)
}

func TestAProbeComesAfterAGrowingWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		probe := pipeline.Exponential(time.Second, 4*time.Second)
		b := opened(t, probe)
		for n, longest := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
			begun := time.Now()
			turn, ok := b.enter(nil)
			require.True(t, ok)
			require.GreaterOrEqual(t, time.Since(begun), longest/2)
			require.LessOrEqual(t, time.Since(begun), longest)
			require.Equal(t, BreakerProbing, b.status().State)
			counts, wait := b.failed(turn, errDown)
			require.False(t, counts)
			require.Positive(t, wait)
			require.Equal(t, n+1, b.status().FailedProbes)
		}
		turn, _ := b.enter(nil)
		b.succeeded(turn)
		require.Equal(t, BreakerStatus{State: BreakerClosed, Opened: 1}, b.status())
		turn, ok := b.pass()
		require.True(t, ok)
		counts, _ := b.failed(turn, errDown)
		require.True(t, counts, "the row begins anew")
	})
}

func TestOneProbesAndTheOthersWaitForItsOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, pipeline.Constant(time.Second))
		var wg sync.WaitGroup
		var now, most, calls atomic.Int32
		for range 20 {
			wg.Go(func() {
				for {
					turn, ok := b.enter(nil)
					if !ok {
						return
					}
					most.Store(max(most.Load(), now.Add(1)))
					time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock: far longer than the wait for a probe
					now.Add(-1)
					if calls.Add(1) < 4 {
						b.failed(turn, errDown)
						continue
					}
					if turn.isProbe() {
						require.EqualValues(t, 1, most.Load())
					}
					b.succeeded(turn)
					return
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 4+19, calls.Load(), "one success lets all others go on")
		require.EqualValues(t, 19, most.Load())
		require.Equal(t, BreakerClosed, b.status().State)
	})
}

func TestAnAttemptFromBeforeSaysNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := testBreaker(1, pipeline.Constant(time.Second))
		var before [4]turn
		for i := range before {
			before[i], _ = b.pass()
		}
		opens, _ := b.pass()
		b.failed(opens, errDown)

		b.succeeded(before[0])
		require.Equal(t, BreakerOpen, b.status().State, "its success is from before the outage")
		counts, wait := b.failed(before[1], errDown)
		require.False(t, counts)
		require.Positive(t, wait)
		require.Zero(t, b.status().FailedProbes)

		probe, _ := b.enter(nil)
		b.succeeded(before[2])
		require.Equal(t, BreakerProbing, b.status().State, "it is not the probe")
		b.succeeded(probe)
		counts, wait = b.failed(before[3], errDown)
		require.False(t, counts)
		require.Negative(t, wait, "the breaker does not say")
		require.Equal(t, BreakerClosed, b.status().State, "its failure is one of the outage that is over")
	})
}

func TestAStopEndsTheWaitForATurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, pipeline.Constant(time.Hour))
		stop := make(chan struct{})
		refused := make(chan bool)
		go func() { _, ok := b.enter(stop); refused <- !ok }()
		synctest.Wait()
		close(stop)
		require.True(t, <-refused)
		_, ok := b.enter(stop)
		require.False(t, ok, "and none begins")
	})
}

func TestAProbeThatIsGivenUpLeavesItsTurnToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t, pipeline.Constant(time.Second))
		probe, _ := b.enter(nil)
		begun := time.Now()
		next := make(chan turn)
		go func() { turn, _ := b.enter(nil); next <- turn }()
		synctest.Wait()
		b.ended(probe)
		turn := <-next
		require.True(t, turn.isProbe())
		require.Zero(t, time.Since(begun))
	})
}
