package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// Order is what a customer sends.
type Order struct {
	Customer string
	Items    []string
}

// Line is one item of an order.
type Line struct {
	Customer, Item string
	Cents          int
}

func split(_ context.Context, o Order) ([]Line, error) {
	var lines []Line
	for _, item := range o.Items {
		lines = append(lines, Line{Customer: o.Customer, Item: item})
	}
	return lines, nil
}

func price(_ context.Context, l Line) (Line, error) {
	l.Cents = 100 * len(l.Item)
	return l, nil
}

// store stands for a sink that writes to a database.
func store() pipeline.Filter[Line, pipeline.None] {
	return pipeline.FilterFunc[Line, pipeline.None](
		func(context.Context, *pipeline.Message[Line], *pipeline.Emitter[pipeline.None]) error { return nil })
}

// A pipeline is declared by plain calls, and its functions know nothing of it.
func Example() {
	p := pipeline.New("orders")
	placed := pipeline.NewPipe(p, "placed",
		pipeline.Key(func(o Order) string { return o.Customer }), pipeline.Partitions(12))
	lines := pipeline.Stage(placed, "split", filters.FlatMap(split), pipeline.Named("lines"))
	priced := pipeline.Stage(lines, "price", filters.Map(price),
		pipeline.Retry(5, pipeline.Exponential(100*time.Millisecond, 10*time.Second)),
		pipeline.Timeout(2*time.Second))
	pipeline.Sink(priced, "store", store())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(graph.Topology().Text())
	// Output:
	// pipeline orders
	//
	// STAGE   READS    WRITES   GROUP          SETTINGS
	// split   placed   lines    orders.split   3 attempts, backoff 100ms to 5s
	// price   lines    price    orders.price   5 attempts, backoff 100ms to 10s, timeout 2s
	// store   price    -        orders.store   3 attempts, backoff 100ms to 5s
	//
	// PIPE     TOPIC           PARTITIONS   CARRIES               AS                 NOTES
	// placed   orders.placed   12           pipeline_test.Order   application/json   keyed
	// lines    orders.lines    default      pipeline_test.Line    application/json   keyed
	// price    orders.price    default      pipeline_test.Line    application/json   keyed
}
