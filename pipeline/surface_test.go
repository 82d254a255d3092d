package pipeline_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

type order struct {
	ID     string
	Amount int
}

func orderID(o order) string { return o.ID }

func double(_ context.Context, o order) (order, error) {
	o.Amount *= 2
	return o, nil
}

func TestCallDecodesRunsAndEncodes(t *testing.T) {
	t.Parallel()
	p := pipeline.New("orders")
	placed := pipeline.NewPipe(p, "placed", pipeline.Key(orderID))
	pipeline.Stage(placed, "double", filters.Map(double), pipeline.Open())
	g, err := p.Build()
	require.NoError(t, err)

	d := &pipeline.Delivery{Value: []byte(`{"ID":"a","Amount":4}`)}
	d.ID, d.Key, d.HasKey = "1", "a", true
	var out pipeline.Outputs
	require.NoError(t, g.Stages[0].Calls[0](t.Context(), d, &out))
	require.Len(t, out.List, 1)
	require.JSONEq(t, `{"ID":"a","Amount":8}`, string(out.List[0].Value))
	require.Equal(t, "a", out.List[0].Key)
	require.True(t, out.List[0].HasKey)
	require.Same(t, g.Pipes[1], out.List[0].Pipe)
}
