package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

// What the tests declare pipelines of.

type order struct {
	ID     string
	Amount int
}

func orderID(o order) string { return o.ID }

func double(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[order]) error {
	o := m.Body
	o.Amount *= 2
	out.Emit(o)
	return nil
}

// doubled is a filter that passes the plain function on.
func doubled() pipeline.Filter[order, order] { return pipeline.FilterFunc[order, order](double) }

// drop is a sink's filter.
func drop() pipeline.Filter[order, pipeline.None] {
	return pipeline.FilterFunc[order, pipeline.None](
		func(context.Context, *pipeline.Message[order], *pipeline.Emitter[pipeline.None]) error { return nil })
}

// orders is a source that puts what it holds and is done.
type orders []pipeline.Trigger[order]

func (s orders) Source(ctx context.Context, emit pipeline.Emit[order]) error { return emit(ctx, s...) }

// toOutlets is a filter that emits only to side outlets: each order to all.
type toOutlets []pipeline.Pipe[order]

func (f toOutlets) Outlets() []pipeline.AnyPipe {
	outlets := make([]pipeline.AnyPipe, len(f))
	for i, p := range f {
		outlets[i] = p
	}
	return outlets
}

func (f toOutlets) Filter(_ context.Context, m *pipeline.Message[order], out *pipeline.Emitter[pipeline.None]) error {
	for _, p := range f {
		pipeline.EmitTo(out, p, m.Body)
	}
	return nil
}

// placed begins each of the broken pipelines.
func placed(p *pipeline.Pipeline) pipeline.Pipe[order] {
	return pipeline.NewPipe(p, "placed", pipeline.Key(orderID))
}

func isLarge(o order) bool { return o.Amount > 9 }

func pass(h message.HandlerFunc) message.HandlerFunc { return h }

type line struct{ Order string }

// uncomparable is a codec that == panics on.
type uncomparable struct{ Fields []string }

func (uncomparable) Encode(order) ([]byte, error)                  { return nil, nil }
func (uncomparable) Decode(context.Context, []byte) (order, error) { return order{}, nil }
func (uncomparable) ContentType() string                           { return "" }

// batches is a filter that takes batches of the given size.
type batches int

func (batches) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[pipeline.None]) error {
	return nil
}
func (b batches) Batch() (int, time.Duration) { return int(b), 0 }
func (batches) FilterBatch(context.Context, []pipeline.Item[order, pipeline.None]) error {
	return nil
}

// rawBatches takes both batches and bytes.
type rawBatches struct{ batches }

func (rawBatches) FilterRaw(context.Context, *pipeline.Delivery) ([]pipeline.Output, error) {
	return nil, nil
}

// rawFilter leaves the bytes of orders as they are.
type rawFilter struct{}

func (rawFilter) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[order]) error {
	return errors.New("not called")
}

func (rawFilter) FilterRaw(_ context.Context, d *pipeline.Delivery) ([]pipeline.Output, error) {
	return []pipeline.Output{{Key: d.Key, HasKey: d.HasKey, Value: d.Value}}, nil
}

// anyOutlets is a sink with whatever outlets.
type anyOutlets []pipeline.AnyPipe

func (f anyOutlets) Outlets() []pipeline.AnyPipe { return f }
func (anyOutlets) Filter(context.Context, *pipeline.Message[order], *pipeline.Emitter[pipeline.None]) error {
	return nil
}

// build fails the test for a pipeline with a mistake.
func build(t testing.TB, p *pipeline.Pipeline) *pipeline.Graph {
	t.Helper()
	g, err := p.Build()
	require.NoError(t, err)
	return g
}

// oneStage builds a pipeline of a single stage and returns it.
func oneStage[In, Out any](t testing.TB, f pipeline.Filter[In, Out], opts ...pipeline.Option[Out]) *pipeline.StageNode {
	t.Helper()
	p := pipeline.New("test")
	in := pipeline.NewPipe[In](p, "in")
	pipeline.Stage(in, "stage", f, append(opts, pipeline.Open())...)
	return build(t, p).Stages[0]
}

// delivery is a first attempt at a message with the id "parent" and the key "k".
func delivery(value string) *pipeline.Delivery {
	d := &pipeline.Delivery{Value: []byte(value), Stage: "stage", Attempt: 1}
	d.ID, d.Job, d.Key, d.HasKey = "parent", "job", "k", true
	return d
}

// call runs the stage on one delivery.
func call(t testing.TB, s *pipeline.StageNode, d *pipeline.Delivery) ([]pipeline.Output, error) {
	t.Helper()
	var outs pipeline.Outputs
	err := s.Calls[0](t.Context(), d, &outs)
	return outs.List, err
}
