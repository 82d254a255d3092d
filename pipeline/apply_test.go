package pipeline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

func TestApplyRunsOneFilterOnOneValue(t *testing.T) {
	t.Parallel()
	made, err := pipeline.Apply(t.Context(), doubled(), order{ID: "a", Amount: 2})
	require.NoError(t, err)
	require.Equal(t, []order{{ID: "a", Amount: 4}}, made)

	raw, err := pipeline.Apply(t.Context(), pipeline.Filter[order, order](rawFilter{}), order{ID: "a"})
	require.NoError(t, err)
	require.Equal(t, []order{{ID: "a"}}, raw)
}

func TestApplyReturnsTheFiltersError(t *testing.T) {
	t.Parallel()
	made, err := pipeline.Apply(t.Context(), emitting(func(context.Context, *pipeline.Message[order], *pipeline.Emitter[order]) error {
		return pipeline.Reject(errUnlucky)
	}), order{})
	require.Empty(t, made)
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict)

	_, err = pipeline.Apply(t.Context(), pipeline.FilterFunc[chan int, order](nil), make(chan int))
	require.ErrorContains(t, err, "encode chan int as JSON")
}

func TestApplyGivesTheFilterItsDelivery(t *testing.T) {
	t.Parallel()
	given := delivery("not this")
	_, err := pipeline.Apply(pipeline.WithDelivery(t.Context(), given), emitting(
		func(_ context.Context, m *pipeline.Message[order], _ *pipeline.Emitter[order]) error {
			require.Equal(t, "k", m.Key)
			require.JSONEq(t, `{"ID":"a","Amount":0}`, string(m.Value))
			return nil
		}), order{ID: "a"})
	require.NoError(t, err)
	require.Equal(t, "not this", string(given.Value), "the caller's is left alone")
}

func TestApplyOpensAndCloses(t *testing.T) {
	t.Parallel()
	log, failed := "", errors.New("failed")
	_, err := pipeline.Apply(t.Context(), pipeline.Filter[order, pipeline.None](opened{log: &log}), order{})
	require.NoError(t, err)
	require.Equal(t, "open close ", log)

	_, err = pipeline.Apply(t.Context(), pipeline.Filter[order, pipeline.None](opened{log: &log, err: failed}), order{})
	require.ErrorIs(t, err, failed)
	require.ErrorContains(t, err, "open the filter: ")
}

func TestApplyLeavesSideOutletsOut(t *testing.T) {
	t.Parallel()
	side := pipeline.NewPipe[order](pipeline.New("test"), "side")
	made, err := pipeline.Apply(t.Context(), pipeline.Filter[order, pipeline.None](toOutlets{side}), order{})
	require.NoError(t, err)
	require.Empty(t, made)
}
