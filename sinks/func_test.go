package sinks_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

func TestFuncGetsTheBodyAndItsErrorFailsTheMessage(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var got []int
	sink := sinks.Func(func(_ context.Context, v int) error {
		got = append(got, v)
		if v == 2 {
			return pipeline.Reject(broken)
		}
		return nil
	})
	_, err := pipeline.Apply(t.Context(), sink, 1)
	require.NoError(t, err)
	_, err = pipeline.Apply(t.Context(), sink, 2)
	require.ErrorIs(t, err, broken)
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict)
	require.Equal(t, []int{1, 2}, got)
}

func TestSinksOfNilAreReportedByBuild(t *testing.T) {
	t.Parallel()
	p := pipeline.New("nothing")
	in := pipeline.NewPipe[int](p, "in")
	pipeline.Sink(in, "func", sinks.Func[int](nil))
	pipeline.Sink(in, "batch", sinks.Batch[int](1, 0, nil))
	pipeline.Sink(in, "files", sinks.Files[int](t.TempDir(), nil))
	_, err := p.Build()
	for _, sink := range []string{"func", "batch", "files"} {
		require.ErrorContains(t, err, `sink "`+sink+`" has a nil filter`)
	}
}
