package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

func TestBranchTakesTheFirstCaseThatHolds(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	route := pipeline.Branch(placed(p), "route")
	huge := route.When("huge", func(o order) bool { return o.Amount > 99 }, pipeline.Key(func(order) string { return "huge" }))
	large := route.When("large", isLarge)
	pipeline.Sink(pipeline.Merge(huge, large), "store", drop())
	s := build(t, p).Stages[0]

	for value, want := range map[string]struct{ pipe, key string }{
		`{"Amount":100}`: {"huge", "huge"},
		`{"Amount": 10}`: {"large", "k"},
	} {
		d := delivery(value)
		d.Sequence, d.Headers = 3, []schemas.Header{{Name: "x"}}
		outs, err := call(t, s, d)
		require.NoError(t, err)
		require.Len(t, outs, 1)
		require.Equal(t, want.pipe, outs[0].Pipe.Name)
		require.Equal(t, want.key, outs[0].Key)
		require.Equal(t, value, string(outs[0].Value), "nothing is encoded again")
		require.EqualValues(t, 3, outs[0].Sequence)
		require.Equal(t, d.Headers, outs[0].Headers)
	}

	_, err := call(t, s, delivery(`{"Amount":1}`))
	require.EqualError(t, err, "no case of the branch holds")
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict)
}

func TestOtherwiseTakesTheRest(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	route := pipeline.Branch(placed(p), "route")
	route.When("large", isLarge, pipeline.Open())
	route.Otherwise("small", pipeline.Open())
	g := build(t, p)
	outs, err := call(t, g.Stages[0], delivery(`{"Amount":1}`))
	require.NoError(t, err)
	require.Equal(t, "small", outs[0].Pipe.Name)
	require.Equal(t, []*pipeline.PipeNode{g.Pipes[1], g.Pipes[2]}, g.Stages[0].Outputs)
}

func TestMergedInputsAreDecodedEachByItsCodec(t *testing.T) {
	t.Parallel()
	encoded := 0
	p := pipeline.New("test")
	plain := pipeline.NewPipe[order](p, "plain")
	other := pipeline.NewPipe(p, "other", pipeline.Codec[order](counting{&encoded}))
	pipeline.Stage(pipeline.Merge(plain, other), "double", doubled(), pipeline.Codec(schemas.JSON[order]()), pipeline.Open())
	s := build(t, p).Stages[0]
	require.Equal(t, []string{"plain", "other"}, []string{s.Inputs[0].Name, s.Inputs[1].Name})
	for i, want := range []string{"a", "decoded"} {
		var outs pipeline.Outputs
		require.NoError(t, s.Calls[i](t.Context(), delivery(`{"ID":"a"}`), &outs))
		require.Contains(t, string(outs.List[0].Value), want)
	}
}
