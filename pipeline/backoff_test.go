package pipeline_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
)

func TestExponentialDoublesUpToItsBound(t *testing.T) {
	t.Parallel()
	b := pipeline.Exponential(100*time.Millisecond, time.Second)
	var got []time.Duration
	for failed := range 6 {
		got = append(got, b.Delay(failed+1))
	}
	require.Equal(t, []time.Duration{100e6, 200e6, 400e6, 800e6, time.Second, time.Second}, got)
}

func TestBackoffDoesNotOverflow(t *testing.T) {
	t.Parallel()
	b := pipeline.Exponential(3, math.MaxInt64)
	require.Equal(t, 3*time.Duration(1)<<61, b.Delay(62))
	require.Equal(t, time.Duration(math.MaxInt64), b.Delay(63))
	require.Equal(t, time.Duration(math.MaxInt64), b.Delay(1000))
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "first"))
		longest := time.Duration(rapid.Int64Range(int64(first), math.MaxInt64).Draw(t, "longest"))
		failed := rapid.IntRange(1, 100_000).Draw(t, "failed")
		b := pipeline.Exponential(first, longest)
		require.GreaterOrEqual(t, b.Delay(failed), first)
		require.LessOrEqual(t, b.Delay(failed), longest)
		require.LessOrEqual(t, b.Delay(failed), b.Delay(failed+1))
		require.Equal(t, first, pipeline.Constant(first).Delay(failed))
	})
}

func TestBackoffsAsText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "100ms to 5s", pipeline.Exponential(100*time.Millisecond, 5*time.Second).String())
	require.Equal(t, "2s", pipeline.Constant(2*time.Second).String())
	require.Equal(t, "no wait", pipeline.Backoff{}.String())
	require.Zero(t, pipeline.Backoff{}.Delay(3))
}
