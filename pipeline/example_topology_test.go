package pipeline_test

import (
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A topology is drawn for people, and is data for encoding/json.
func ExampleTopology_Mermaid() {
	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	pipeline.Sink(pipeline.Stage(lines, "price", filters.Map(price), pipeline.Named("priced")), "store", store())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	topology := graph.Topology()
	fmt.Print(topology.Mermaid())
	for _, topic := range topology.Topics {
		fmt.Println(topic.Kind, topic.Name)
	}
	// Output:
	// flowchart LR
	//     n0[("lines")]
	//     n1[("priced")]
	//     n2["price"]
	//     n3["store"]
	//     n0 --> n2
	//     n2 --> n1
	//     n1 --> n3
	// pipe shop.lines
	// pipe shop.priced
	// poison shop.price.poison
	// retry shop.price.retry.lines
	// poison shop.store.poison
	// retry shop.store.retry.priced
}
