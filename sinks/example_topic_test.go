package sinks_test

import (
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// What is shipped goes to a topic that the warehouse reads, in order by its parcel.
func ExampleTopic() {
	type Shipped struct{ Parcel, Customer string }

	p := pipeline.New("orders")
	shipped := pipeline.NewPipe[Shipped](p, "shipped")
	pipeline.Sink(shipped, "tell", sinks.Topic("warehouse.shipped.v1",
		sinks.RecordKey(func(s Shipped) string { return s.Parcel })))
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(graph.Stages[0].Group, "writes to", graph.Stages[0].OutsideTopics)
	// Output: orders.tell writes to [warehouse.shipped.v1]
}
