// Package wrong holds what must not compile. Each line with a mistake says what
// the compiler must say of it.
package wrong

import (
	"context"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

type Order struct{ ID string }

type Line struct{ Order string }

func price(context.Context, Order) (Line, error) { return Line{}, nil }

func store(context.Context, *pipeline.Message[Line], *pipeline.Emitter[pipeline.None]) error {
	return nil
}

func orderID(o Order) string { return o.ID }

func lineOrder(l Line) string { return l.Order }

type ticks struct{}

func (ticks) Source(context.Context, pipeline.Emit[time.Time]) error { return nil }

func mistakes(p *pipeline.Pipeline, orders pipeline.Pipe[Order], lines pipeline.Pipe[Line]) {
	stored := pipeline.FilterFunc[Line, pipeline.None](store)

	// A key, a codec or a condition for another type.
	pipeline.NewPipe[Line](p, "lines", pipeline.Key(orderID))                                  // want "cannot use pipeline.Key"
	pipeline.Stage(orders, "price", filters.Map(price), pipeline.Key(orderID))                 // want "does not match inferred type pipeline.Option[Line]"
	pipeline.Stage(orders, "price", filters.Map(price), pipeline.Codec(schemas.JSON[Order]())) // want "does not match inferred type pipeline.Option[Line]"
	pipeline.Branch(lines, "route").When("express", func(o Order) bool { return true })        // want "cannot use func"
	pipeline.Key(12)                                                                           // want "cannot infer T"

	// An option of a pipe where there is no pipe.
	pipeline.Sink(lines, "store", stored, pipeline.Key(lineOrder))              // want "cannot use pipeline.Key"
	pipeline.Sink(lines, "store", stored, pipeline.Codec(schemas.JSON[Line]())) // want "cannot use pipeline.Codec"
	pipeline.Options(pipeline.Timeout(time.Second), pipeline.Key(lineOrder))    // want "cannot use pipeline.Key"

	// A filter for another type, a stage for a sink, a sink for a stage's output.
	pipeline.Stage(lines, "price", filters.Map(price))                                       // want "does not match inferred type"
	pipeline.Sink(orders, "price", filters.Map(price))                                       // want "does not match"
	pipeline.Stage(pipeline.Stage(orders, "a", filters.Map(price)), "b", filters.Map(price)) // want "does not match inferred type"
	pipeline.Source[Order](p, "ticks", ticks{})                                              // want "does not implement"

	// What is not a stream of one type.
	pipeline.Merge(orders, lines) // want "does not match inferred type"
}

type both struct{}

func (both) Filter(_ context.Context, m *pipeline.Message[Order], out *pipeline.Emitter[Line]) error {
	out.Emit(m.Body)         // want "cannot use m.Body"
	pipeline.Forward(out, m) // want "does not match inferred type"
	return nil
}

// Settings and kinds of pipe are the package's own.
type ownPipe struct{}

func (ownPipe) owner() *pipeline.Pipeline   { return nil }
func (ownPipe) nodes() []*pipeline.PipeNode { return nil }

var (
	_ pipeline.AnyPipe    = ownPipe{}                                   // want "does not implement"
	_ pipeline.Setting    = func(s *pipeline.Settings) { s.name = "x" } // want "s.name undefined"
	_ pipeline.EmitOption = func(*pipeline.Output) {}                   // want "cannot use func"
)
