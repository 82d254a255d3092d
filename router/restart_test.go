package router

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

func TestWhatFailsIsTriedAgainAfterGrowingWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := newLifecycle()
		var tries []time.Time
		err := keepTrying(t.Context(), slog.New(slog.DiscardHandler), life, "it", func(context.Context) error {
			tries = append(tries, time.Now())
			switch len(tries) {
			case 12: // it had worked
				time.Sleep(restartLongest + time.Second) //nolint:forbidigo // the bubble's clock
				tries[len(tries)-1] = time.Now()
			case 14:
				panic(errDown)
			case 15:
				return nil
			}
			require.Equal(t, StateStarting, life.read().State)
			return errDown
		})
		require.NoError(t, err)
		require.Len(t, tries, 15)
		longest := restartFirst
		for i := 1; i < len(tries)-1; i++ {
			if i == 12 {
				longest = restartFirst
			}
			wait := tries[i].Sub(tries[i-1])
			if i != 11 { // that one ends late
				require.GreaterOrEqual(t, wait, longest/2, i)
				require.LessOrEqual(t, wait, longest, i)
			}
			longest = min(2*longest, restartLongest)
		}
	})
}

func TestAStopEndsTheWaitForAnotherTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := newLifecycle()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		begun := time.Now()
		go func() {
			ended <- keepTrying(ctx, slog.New(slog.DiscardHandler), life, "it", func(context.Context) error { return errDown })
		}()
		synctest.Wait() // it waits
		require.Equal(t, StateRestarting, life.read().State)
		require.ErrorIs(t, life.read().Error, errDown)
		require.Positive(t, life.read().Next.Sub(begun))
		cancel()
		require.NoError(t, <-ended, "being stopped is no failure")
		require.Zero(t, time.Since(begun))
	})
}

func TestWhatIsFinalIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	err := keepTrying(t.Context(), slog.New(slog.DiscardHandler), newLifecycle(), "it", func(context.Context) error {
		return opening("open it", pipeline.Reject(errDown))
	})
	require.EqualError(t, err, "open it: no answer")
}

func TestWhatStopsStaysSo(t *testing.T) {
	t.Parallel()
	for _, last := range []State{StateStopping, StateDone} {
		life := newLifecycle()
		life.set(StateRunning)
		life.set(last)
		life.failed(errDown, time.Now())
		life.set(StateRunning)
		require.Equal(t, last, life.read().State)
		require.NoError(t, life.read().Error)
	}
}
