package filters_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/schemas"
)

func TestKeepForwardsOrDrops(t *testing.T) {
	t.Parallel()
	s := stage(t, filters.Keep(func(n int) bool { return n > 0 }))
	d := delivery(" 3")
	d.Sequence, d.Headers = 7, []schemas.Header{{Name: "x", Value: []byte("1")}}
	outs, err := run(t, s, d)
	require.NoError(t, err)
	require.Len(t, outs, 1)
	require.Equal(t, " 3", string(outs[0].Value), "the bytes go on as they came")
	require.EqualValues(t, 7, outs[0].Sequence)
	require.Equal(t, d.Headers, outs[0].Headers)

	outs, err = run(t, s, delivery("-3"))
	require.NoError(t, err)
	require.Empty(t, outs)
}
