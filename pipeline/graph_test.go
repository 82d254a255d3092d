package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

func TestPipeNodeEncodesAndDecodes(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	pipeline.NewPipe(p, "orders", pipeline.Key(orderID), pipeline.Open())
	n := build(t, p).Pipes[0]

	value, key, hasKey, err := n.Encode(order{ID: "a", Amount: 1})
	require.NoError(t, err)
	require.Equal(t, "a", key)
	require.True(t, hasKey)
	v, err := n.Decode(t.Context(), value)
	require.NoError(t, err)
	require.Equal(t, order{ID: "a", Amount: 1}, v)

	value, _, _, err = n.Encode("an order")
	require.Nil(t, value)
	require.EqualError(t, err, "pipe orders carries pipeline_test.order, not string")
	_, err = n.Decode(t.Context(), []byte("x"))
	require.ErrorContains(t, err, "pipe orders: decode JSON")
}

func TestEncodeJSONGoesThroughTheCodec(t *testing.T) {
	t.Parallel()
	encoded := 0
	p := pipeline.New("test")
	pipeline.NewPipe(p, "coded", pipeline.Key(orderID), pipeline.Codec[order](counting{&encoded}), pipeline.Open())
	pipeline.NewPipe(p, "raw", pipeline.Key(func(b []byte) string { return string(b[:1]) }), pipeline.Open())
	pipeline.NewPipe(p, "quoted", pipeline.Codec(schemas.JSON[[]byte]()), pipeline.Open())
	g := build(t, p)
	for i, test := range []struct {
		in, value, key string
		hasKey         bool
	}{
		{`{"ID":"a"}`, "encoded", "a", true},
		{"any bytes", "any bytes", "a", true},
		{`"AP8="`, `"AP8="`, "", false},
	} {
		value, key, hasKey, err := g.Pipes[i].EncodeJSON(t.Context(), []byte(test.in))
		require.NoError(t, err)
		require.Equal(t, test.value, string(value))
		require.Equal(t, test.key, key)
		require.Equal(t, test.hasKey, hasKey)
	}
	value, _, _, err := g.Pipes[0].EncodeJSON(t.Context(), []byte(`{"ID":1}`))
	require.Nil(t, value)
	require.ErrorContains(t, err, "pipe coded: decode JSON as pipeline_test.order")
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Rejected, verdict)
}

func TestStageNodeHasItsSettings(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	in := placed(p)
	pipeline.Sink(in, "plain", drop())
	pipeline.Sink(in, "set", drop(), pipeline.Options(pipeline.Retry(7, pipeline.Constant(time.Second))), pipeline.Timeout(time.Minute),
		pipeline.Use(pass), pipeline.Use(pass, func(h message.HandlerFunc) message.HandlerFunc { return h }))
	g := build(t, p)

	s := g.Stages[0]
	require.Equal(t, "test.plain", s.Group)
	require.Equal(t, "test.plain.poison", s.PoisonTopic)
	require.Regexp(t, `^graph_test\.go:\d+$`, s.Location)
	require.Equal(t, 3, s.Attempts)
	require.Equal(t, pipeline.Exponential(100*time.Millisecond, 5*time.Second), s.Backoff)
	require.Zero(t, s.Timeout)
	require.Empty(t, s.Middleware)
	require.Empty(t, s.Outputs)

	s = g.Stages[1]
	require.Equal(t, 7, s.Attempts)
	require.Equal(t, pipeline.Constant(time.Second), s.Backoff)
	require.Equal(t, time.Minute, s.Timeout)
	require.Len(t, s.Middleware, 3)
}

func TestMiddlewareKeepsItsOrder(t *testing.T) {
	t.Parallel()
	var order string
	note := func(name string) message.HandlerMiddleware {
		return func(h message.HandlerFunc) message.HandlerFunc { order += name; return h }
	}
	s := oneStage(t, doubled(), pipeline.Use(note("a"), note("b")), pipeline.Use(note("c")))
	for _, m := range s.Middleware {
		m(nil)
	}
	require.Equal(t, "abc", order)
}

func TestDefaultsOfCodecAndName(t *testing.T) {
	t.Parallel()
	encoded := 0
	p := pipeline.New("test")
	in := pipeline.NewPipe(p, "in", pipeline.Codec[order](counting{&encoded}))
	pipeline.Stage(in, "same", doubled(), pipeline.Open())
	pipeline.Stage(in, "bytes", pipeline.FilterFunc[order, []byte](func(context.Context, *pipeline.Message[order], *pipeline.Emitter[[]byte]) error { return nil }), pipeline.Open())
	pipeline.Stage(in, "lines", pipeline.FilterFunc[order, line](func(context.Context, *pipeline.Message[order], *pipeline.Emitter[line]) error { return nil }), pipeline.Named("renamed"), pipeline.Partitions(3), pipeline.Open())
	pipes := build(t, p).Pipes
	require.Equal(t, "test/counting", pipes[1].ContentType, "the input's where the type is the same")
	require.Equal(t, "application/octet-stream", pipes[2].ContentType)
	require.Equal(t, "application/json", pipes[3].ContentType)
	require.Equal(t, "pipeline_test.line", pipes[3].Type)
	require.Equal(t, "renamed", pipes[3].Name)
	require.Equal(t, "test.renamed", pipes[3].Topic)
	require.Equal(t, 3, pipes[3].Partitions)
}

func TestKeysAreInherited(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	keyed := placed(p)
	plain := pipeline.NewPipe[order](p, "plain")
	side := pipeline.NewPipe[order](p, "side")
	pipeline.Stage(side, "outside", doubled(), pipeline.Open())
	first := pipeline.Stage(keyed, "first", doubled())
	second := pipeline.Stage(first, "second", doubled())
	mixed := pipeline.Stage(pipeline.Merge(second, plain), "mixed", doubled())
	pipeline.Stage(mixed, "own", doubled(), pipeline.Key(orderID), pipeline.Open())
	pipeline.Sink(second, "store", toOutlets{side})
	// "early" is fed also from "late", which comes after it and inherits too: one
	// pass in the order of declaration is not enough.
	early := pipeline.Stage(keyed, "early", doubled(), pipeline.Open())
	late := pipeline.Stage(keyed, "late", doubled())
	pipeline.Sink(late, "back", toOutlets{early})

	got := make(map[string]bool)
	for _, n := range build(t, p).Pipes {
		got[n.Name] = n.Keyed
	}
	require.Equal(t, map[string]bool{
		"placed": true, "plain": false, "first": true, "second": true, "mixed": false, "own": true,
		"early": true, "late": true, "side": false, "outside": false, // others may publish into side
	}, got)
}

func TestEnvelopeOfAnOutput(t *testing.T) {
	t.Parallel()
	s := oneStage(t, doubled())
	d := delivery(`{}`)
	d.Time = time.Date(2026, 11, 22, 21, 20, 0, 0, time.UTC)
	d.ReplyTo, d.TraceParent, d.TraceState, d.Sequence = "answers", "00-a", "a=b", 9
	d.Headers = []schemas.Header{{Name: "of the parent"}}
	outs, err := call(t, s, d)
	require.NoError(t, err)
	want := schemas.Envelope{
		ID: schemas.DeriveID("parent", "test.stage", 2), Key: "k", HasKey: true, Job: "job", Parent: "parent", Time: d.Time,
		Type: "test.stage", Source: "test.stage", ReplyTo: "answers", TraceParent: "00-a", TraceState: "a=b", ContentType: "application/json",
	}
	require.Equal(t, want, s.Envelope(d, 2, &outs[0]))

	outs[0].ID, outs[0].Sequence, outs[0].Headers = "mine", 4, []schemas.Header{{Name: "own"}}
	want.ID, want.Sequence, want.Headers = "mine", 4, outs[0].Headers
	require.Equal(t, want, s.Envelope(d, 2, &outs[0]))
}

// Nothing travels twice: the parent is left out where it is the trigger, which the
// job names, and a content type that says nothing.
func TestEnvelopeOfATriggersOutput(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "stage", pipeline.FilterFunc[[]byte, []byte](func(_ context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
		out.Emit(m.Body)
		return nil
	}), pipeline.Open())
	s := build(t, p).Stages[0]
	d := delivery("x")
	d.ID, d.Job = "trigger", "trigger"
	outs, err := call(t, s, d)
	require.NoError(t, err)
	e := s.Envelope(d, 0, &outs[0])
	require.Equal(t, schemas.Envelope{
		ID: schemas.DeriveID("trigger", "test.stage", 0), Key: "k", HasKey: true, Job: "trigger",
		Type: "test.stage", Source: "test.stage",
	}, e)

	next := delivery("x")
	next.Envelope = e
	require.Equal(t, e.ID, s.Envelope(next, 0, &outs[0]).Parent, "from the second hop on the parent is named")
}

// opened notes what is called.
type opened struct {
	orders
	log *string
	err error
}

func (o opened) Open(context.Context) error  { *o.log += "open "; return o.err }
func (o opened) Close(context.Context) error { *o.log += "close "; return o.err }
func (o opened) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[pipeline.None]) error {
	return nil
}

func TestOpenersOfFiltersAndSources(t *testing.T) {
	t.Parallel()
	log, failed := "", errors.New("failed")
	p := pipeline.New("test")
	in := pipeline.Source(p, "in", opened{log: &log, err: failed})
	pipeline.Sink(in, "opener", opened{log: &log})
	pipeline.Sink(in, "plain", drop())
	pipeline.Source(p, "plain", orders{}, pipeline.Open())
	g := build(t, p)
	for _, s := range g.Stages {
		require.NoError(t, s.Open(t.Context()))
		require.NoError(t, s.Close(t.Context()))
	}
	require.ErrorIs(t, g.Sources[0].Open(t.Context()), failed)
	require.ErrorIs(t, g.Sources[0].Close(t.Context()), failed)
	require.NoError(t, g.Sources[1].Open(t.Context()))
	require.Equal(t, "open close open close ", log)
}
