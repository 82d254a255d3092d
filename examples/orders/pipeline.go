package main

import (
	"context"
	_ "embed" // for the schema
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// shop is what the pipeline of orders has around it.
type shop struct {
	source pipeline.Sourcer[Order]
	prices priceList
	store  store
}

// priceList tells what an article costs, in cents. It is somebody else's service:
// slow, and away now and then.
type priceList interface {
	cents(ctx context.Context, article string) (int64, error)
}

//go:embed line.avsc
var lineSchema string

// partitions is how many processes of a stage can share the work.
const partitions = 12

// Orders declares the pipeline: placed → validate → split → price → route, from
// there express or standard, and on to courier and store. The lines of a customer
// stay in order, those of express orders and the others each.
func Orders(s shop) *pipeline.Pipeline {
	p := pipeline.New("orders")

	placed := pipeline.Source(p, "placed", s.source,
		pipeline.Key(func(o Order) string { return o.Customer }),
		pipeline.Partitions(partitions))

	valid := pipeline.Stage(placed, "validate", filters.Map(validate),
		pipeline.Partitions(partitions))

	lines := pipeline.Stage(valid, "split", filters.FlatMap(split),
		pipeline.Codec(schemas.Avro[Line](lineSchema)),
		pipeline.Partitions(partitions))

	priced := pipeline.Stage(lines, "price", filters.Map(s.price),
		pipeline.Partitions(partitions),
		pipeline.Lanes(64), // it waits more than it works
		pipeline.Timeout(2*time.Second),
		// A failure that is over soon: the customer waits in the stage.
		pipeline.Retry(3, pipeline.Exponential(50*time.Millisecond, 500*time.Millisecond)),
		// One that lasts: the customer waits in the retry log, and holds up nobody.
		pipeline.Park(20, pipeline.Exponential(500*time.Millisecond, time.Minute)))

	route := pipeline.Branch(priced, "route")
	express := route.When("express", func(l Line) bool { return l.Express }, pipeline.Partitions(partitions))
	standard := route.Otherwise("standard", pipeline.Partitions(partitions))

	pipeline.Sink(express, "courier", s.store.sink(shipments))
	pipeline.Sink(pipeline.Merge(express, standard), "store", s.store.sink(lineItems))
	return p
}

// price has the price list say what a line costs. It is the filter of stage price.
func (s shop) price(ctx context.Context, l Line) (Line, error) {
	cents, err := s.prices.cents(ctx, l.Article)
	l.Cents = cents * int64(l.Quantity)
	return l, err
}
