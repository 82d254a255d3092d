package filters_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

func TestFlatMapEmitsTheSliceInOrder(t *testing.T) {
	t.Parallel()
	all := filters.FlatMap(func(_ context.Context, vs []int) ([]int, error) { return vs, nil })
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOf(rapid.Int()).Draw(t, "values")
		made, err := pipeline.Apply(t.Context(), all, vs)
		require.NoError(t, err)
		require.Len(t, made, len(vs))
		for i := range vs {
			require.Equal(t, vs[i], made[i])
		}
	})
}

func TestFlatMapEmitsNothingWithAnError(t *testing.T) {
	t.Parallel()
	made, err := pipeline.Apply(t.Context(), filters.FlatMap(func(_ context.Context, n int) ([]int, error) { return []int{n}, failed{} }), 1)
	require.Equal(t, failed{}, err)
	require.Empty(t, made)
}
