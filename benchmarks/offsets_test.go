package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the order in which outputs are confirmed: what is committed never
// passes one that is not, and reaches the end with the last.
func TestOffsetsNeverPassWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var told int64
		o := newOffsets(func(next int64) { told = next })
		first := rapid.Int64Range(0, 1<<40).Draw(t, "first")
		var open []int64
		end := first
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			o.begin(end)
			open = append(open, end)
			end += rapid.Int64Range(1, 3).Draw(t, "gap")
		}
		last := open[len(open)-1]
		for _, offset := range rapid.Permutation(open).Draw(t, "order") {
			o.done(offset)
			for i, other := range open {
				if other == offset {
					open = append(open[:i], open[i+1:]...)
					break
				}
			}
			next, begun := o.next()
			require.True(t, begun)
			if len(open) > 0 {
				require.Equal(t, open[0], next)
				continue
			}
			require.Equal(t, last+1, next)
			require.Equal(t, next, told)
		}
		require.NoError(t, o.awaitDone(time.Minute))
	})
}

func TestOffsetsGrow(t *testing.T) {
	t.Parallel()
	o := newOffsets(nil)
	const n = 1<<17 + 5
	for i := range int64(n) {
		o.begin(i)
	}
	for i := int64(n - 1); i > 0; i-- {
		o.done(i)
	}
	next, _ := o.next()
	require.Zero(t, next)
	require.ErrorContains(t, o.awaitDone(time.Millisecond), "are not confirmed")
	o.done(0)
	next, _ = o.next()
	require.Equal(t, int64(n), next)
}
