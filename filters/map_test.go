package filters_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

func TestMapMakesOneOfEach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int32Min(0).Draw(t, "n")
		made, err := pipeline.Apply(t.Context(), filters.Map(double), int(n))
		require.NoError(t, err)
		require.Equal(t, []int{2 * int(n)}, made)
	})
}

func TestMapReturnsTheFunctionsError(t *testing.T) {
	t.Parallel()
	made, err := pipeline.Apply(t.Context(), filters.Map(double), -1)
	require.Equal(t, failed{}, err)
	require.Empty(t, made)
}
