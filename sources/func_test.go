package sources_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

func TestFuncTellsWhatItIs(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context, pipeline.Emit[int]) error { return nil }
	for name, c := range map[string]struct {
		opts         []sources.FuncOption
		finite, once bool
	}{
		"plain":           {},
		"finite":          {opts: []sources.FuncOption{sources.Finite()}, finite: true},
		"once":            {opts: []sources.FuncOption{sources.Once()}, once: true},
		"finite and once": {opts: []sources.FuncOption{sources.Finite(), sources.Once()}, finite: true, once: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pipeline.New("numbers")
			pipeline.Source(p, "count", sources.Func(nothing, c.opts...), pipeline.Open())
			graph, err := p.Build()
			require.NoError(t, err)
			require.Equal(t, c.finite, graph.Sources[0].Finite)
			require.Equal(t, c.once, graph.Sources[0].Once)
		})
	}
}

func TestFuncGetsTheContextAndReturnsTheError(t *testing.T) {
	t.Parallel()
	type key struct{}
	broken := errors.New("broken")
	src := sources.Func(func(ctx context.Context, emit pipeline.Emit[int]) error {
		if err := emit(ctx, pipeline.Trigger[int]{Body: 1}, pipeline.Trigger[int]{Body: 2}); err != nil {
			return err
		}
		require.Equal(t, "value", ctx.Value(key{}))
		return broken
	})
	var got []int
	err := src.Source(context.WithValue(t.Context(), key{}, "value"), func(_ context.Context, ts ...pipeline.Trigger[int]) error {
		for _, trigger := range ts {
			got = append(got, trigger.Body)
		}
		return nil
	})
	require.ErrorIs(t, err, broken)
	require.Equal(t, []int{1, 2}, got)
}

func TestFuncOfNilIsReportedByBuild(t *testing.T) {
	t.Parallel()
	p := pipeline.New("numbers")
	pipeline.Source(p, "count", sources.Func[int](nil), pipeline.Open())
	_, err := p.Build()
	require.ErrorContains(t, err, `source "count" is nil`)
}
