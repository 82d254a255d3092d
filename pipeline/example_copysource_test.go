package pipeline_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// deliveries are what another program writes to a topic of its own.
type deliveries struct{ country string }

func (d deliveries) CopyOf() string { return "logistics.deliveries." + d.country }

func (deliveries) Source(context.Context, pipeline.Emit[Line]) error {
	return errors.New("the topic is copied instead")
}

// A source can be a topic that is no pipe. One for every day is sources.Topic.
func ExampleCopySource() {
	p := pipeline.New("shop")
	pipeline.Source(p, "delivered", deliveries{"no"}, pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(graph.Sources[0].CopyOf, "is copied into", graph.Sources[0].Pipe.Topic)
	// Output: logistics.deliveries.no is copied into shop.delivered
}
