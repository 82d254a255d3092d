package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// forwarding counts what its codec encodes.
type counting struct{ encoded *int }

func (c counting) Encode(order) ([]byte, error)                { *c.encoded++; return []byte("encoded"), nil }
func (counting) Decode(context.Context, []byte) (order, error) { return order{ID: "decoded"}, nil }
func (counting) ContentType() string                           { return "test/counting" }

func forward(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
	pipeline.Forward(out, m)
	return nil
}

func TestForwardKeepsBytesHeadersAndSequence(t *testing.T) {
	t.Parallel()
	encoded := 0
	p := pipeline.New("test")
	in := pipeline.NewPipe(p, "in", pipeline.Codec[order](counting{&encoded}))
	same := pipeline.Stage(in, "same", pipeline.FilterFunc[order, order](forward), pipeline.Key(orderID))
	pipeline.Stage(same, "other", pipeline.FilterFunc[order, order](forward), pipeline.Codec(schemas.JSON[order]()), pipeline.Open())
	g := build(t, p)
	d := delivery("as it came")
	d.Sequence, d.Headers = 7, []schemas.Header{{Name: "x", Value: []byte("1")}}

	outs, err := call(t, g.Stages[0], d)
	require.NoError(t, err)
	require.Equal(t, []pipeline.Output{{
		Pipe: g.Stages[0].Outputs[0], Key: "decoded", HasKey: true, Value: []byte("as it came"), Sequence: 7, Headers: d.Headers,
	}}, outs)
	require.Zero(t, encoded, "the codec is the same")

	outs, err = call(t, g.Stages[1], d)
	require.NoError(t, err)
	require.JSONEq(t, `{"ID":"decoded","Amount":0}`, string(outs[0].Value), "the codec is another")
}

func TestEmitCarriesNeitherHeadersNorSequence(t *testing.T) {
	t.Parallel()
	d := delivery(`{}`)
	d.Sequence, d.Headers = 7, []schemas.Header{{Name: "x"}}
	outs, err := call(t, oneStage(t, doubled()), d)
	require.NoError(t, err)
	require.Empty(t, outs[0].Headers)
	require.Zero(t, outs[0].Sequence)
}

func TestEmitOptions(t *testing.T) {
	t.Parallel()
	s := oneStage(t, pipeline.FilterFunc[order, order](func(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
		out.Emit(m.Body, pipeline.WithID("mine"), pipeline.WithHeader("a", []byte("1")), pipeline.WithHeader("a", []byte("2")))
		pipeline.Forward(out, m, pipeline.WithHeader("b", nil))
		pipeline.Forward(out, m, pipeline.WithHeader("c", nil))
		return nil
	}))
	d := delivery(`{}`)
	d.Headers = append(make([]schemas.Header, 0, 8), schemas.Header{Name: "x"}) // has room to grow into
	outs, err := call(t, s, d)
	require.NoError(t, err)
	require.Equal(t, "mine", outs[0].ID)
	require.Equal(t, []schemas.Header{{Name: "a", Value: []byte("1")}, {Name: "a", Value: []byte("2")}}, outs[0].Headers)
	require.Equal(t, []schemas.Header{{Name: "x"}, {Name: "b"}}, outs[1].Headers)
	require.Equal(t, []schemas.Header{{Name: "x"}, {Name: "c"}}, outs[2].Headers, "one output's header must not end up in another's")
	require.Equal(t, []schemas.Header{{Name: "x"}}, d.Headers)
}

func TestBadEmitOptionsRejectTheMessage(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]pipeline.EmitOption{
		"WithID: the id is empty": pipeline.WithID(""),
		"WithID: broken header ce_id: it has 1025 bytes, more than 1024":       pipeline.WithID(strings.Repeat("x", 1025)),
		"WithHeader: header ce_time belongs to the envelope; use another name": pipeline.WithHeader("ce_time", nil),
	} {
		s := oneStage(t, pipeline.FilterFunc[order, order](func(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
			out.Emit(m.Body, opt)
			out.Emit(m.Body) // does not hide the first error
			return nil
		}))
		_, err := call(t, s, delivery(`{}`))
		require.EqualError(t, err, want)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Rejected, verdict)
	}
}

func TestEmitToOutlets(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	in := pipeline.NewPipe[order](p, "in")
	late := pipeline.NewPipe(p, "late", pipeline.Key(orderID), pipeline.Open())
	lost := pipeline.NewPipe[order](p, "lost", pipeline.Open())
	pipeline.Sink(in, "sink", toOutlets{late, lost})
	g := build(t, p)
	outs, err := call(t, g.Stages[0], delivery(`{"ID":"a"}`))
	require.NoError(t, err)
	require.Len(t, outs, 2)
	require.Same(t, g.Pipes[1], outs[0].Pipe)
	require.Equal(t, "a", outs[0].Key)
	require.Same(t, g.Pipes[2], outs[1].Pipe)
	require.Equal(t, "k", outs[1].Key)
}

func TestEmitToUnlistedPipeIsRefused(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	in := pipeline.NewPipe[order](p, "in")
	late := pipeline.NewPipe[order](p, "late", pipeline.Open())
	for name, to := range map[string]pipe{"unlisted": late, "zero": {}, "merged": pipeline.Merge(late, in)} {
		pipeline.Sink(in, name, pipeline.FilterFunc[order, pipeline.None](func(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[pipeline.None]) error {
			pipeline.EmitTo(out, to, m.Body)
			return nil
		}))
	}
	for _, s := range build(t, p).Stages {
		_, err := call(t, s, delivery(`{}`))
		require.EqualError(t, err, "EmitTo: the pipe is not among the filter's Outlets", s.Name)
	}
}

type pipe = pipeline.Pipe[order]

func TestSinkEmitsNothing(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	pipeline.Sink(placed(p), "sink", pipeline.FilterFunc[order, pipeline.None](
		func(_ context.Context, _ *pipeline.Message[order], out *pipeline.Emitter[pipeline.None]) error {
			out.Emit(pipeline.None{})
			return nil
		}))
	outs, err := call(t, build(t, p).Stages[0], delivery(`{}`))
	require.NoError(t, err)
	require.Empty(t, outs)
}

// What an emitter takes after its filter returned would be lost, or be taken for
// another message's.
func TestEmitterEndsWithItsFilter(t *testing.T) {
	t.Parallel()
	var (
		kept    *pipeline.Emitter[order]
		message *pipeline.Message[order]
	)
	s := oneStage(t, emitting(func(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
		kept, message = out, m
		return nil
	}))
	var outs pipeline.Outputs
	require.NoError(t, s.Calls[0](t.Context(), delivery(`{}`), &outs))
	const want = "pipeline: Emit after the filter returned"
	require.PanicsWithValue(t, want, func() { kept.Emit(order{}) })
	require.PanicsWithValue(t, want, func() { pipeline.Forward(kept, message) })
	require.PanicsWithValue(t, want, func() { pipeline.EmitTo(kept, pipe{}, order{}) })
	require.Len(t, outs.List, 1)
}
