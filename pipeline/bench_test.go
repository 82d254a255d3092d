package pipeline_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

// free is a codec that costs nothing, so that only the path is measured.
type free struct{ value *order }

var freeBytes = []byte("x")

func (free) Encode(order) ([]byte, error)                    { return freeBytes, nil }
func (f free) Decode(context.Context, []byte) (order, error) { return *f.value, nil }
func (free) ContentType() string                             { return "" }

// benchmarkCall runs a stage's call: decode, filter, emit.
func benchmarkCall(b *testing.B, f pipeline.Filter[order, order], opts ...pipeline.Option[order]) {
	b.Helper()
	codec := pipeline.Codec[order](free{&order{ID: "a", Amount: 1}})
	p := pipeline.New("bench")
	in := pipeline.NewPipe(p, "in", codec)
	pipeline.Stage(in, "stage", f, append(opts, pipeline.Open())...)
	g, err := p.Build()
	if err != nil {
		b.Fatal(err)
	}
	run := g.Stages[0].Calls[0]
	d := delivery("x")
	ctx := context.Background()
	var outs pipeline.Outputs
	b.ReportAllocs()
	for b.Loop() {
		outs.Reset()
		if err := run(ctx, d, &outs); err != nil || len(outs.List) != 1 {
			b.Fatal(err, len(outs.List))
		}
	}
}

// plain is what filters.Map does.
func plain(f func(context.Context, order) (order, error)) pipeline.Filter[order, order] {
	return pipeline.FilterFunc[order, order](func(ctx context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
		o, err := f(ctx, m.Body)
		if err != nil {
			return err
		}
		out.Emit(o)
		return nil
	})
}

func same(_ context.Context, o order) (order, error) { return o, nil }

func BenchmarkCallEmit(b *testing.B) { benchmarkCall(b, plain(same)) }

func BenchmarkCallEmitKeyed(b *testing.B) { benchmarkCall(b, plain(same), pipeline.Key(orderID)) }

func BenchmarkCallForward(b *testing.B) {
	benchmarkCall(b, pipeline.FilterFunc[order, order](forward))
}

func BenchmarkCallFromContext(b *testing.B) {
	benchmarkCall(b, plain(func(ctx context.Context, o order) (order, error) {
		o.Amount = pipeline.FromContext(ctx).Attempt
		return o, nil
	}))
}

func BenchmarkEnvelope(b *testing.B) {
	p := pipeline.New("bench")
	in := pipeline.NewPipe[order](p, "in")
	pipeline.Stage(in, "stage", doubled(), pipeline.Open())
	g, err := p.Build()
	if err != nil {
		b.Fatal(err)
	}
	d, o := delivery("x"), pipeline.Output{Pipe: g.Pipes[1]}
	b.ReportAllocs()
	for b.Loop() {
		g.Stages[0].Envelope(d, 0, &o)
	}
}

// Messages, their contexts and emitters lie in slabs. Not parallel: other tests'
// allocations would be counted.
func TestCallsShareAllocations(t *testing.T) {
	p := pipeline.New("bench")
	in := pipeline.NewPipe(p, "in", pipeline.Codec[order](free{&order{}}))
	pipeline.Stage(in, "stage", plain(same), pipeline.Key(orderID), pipeline.Open())
	run, d := build(t, p).Stages[0].Calls[0], delivery("x")
	ctx := t.Context()
	var outs pipeline.Outputs
	const calls = 320
	allocs := testing.AllocsPerRun(10, func() {
		for range calls {
			outs.Reset()
			if run(ctx, d, &outs) != nil {
				t.Fail()
			}
		}
	})
	require.LessOrEqual(t, allocs, calls/32.0)
}
