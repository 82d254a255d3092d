package pipeline_test

import (
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A stage can read several pipes of one type; that adds no topic.
func ExampleMerge() {
	p := pipeline.New("shop")
	web := pipeline.NewPipe[Line](p, "web")
	phone := pipeline.NewPipe[Line](p, "phone")
	priced := pipeline.Stage(pipeline.Merge(web, phone), "price", filters.Map(price))
	pipeline.Sink(priced, "store", store())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(graph.Topology().Stages[0].Inputs)
	// Output: [web phone]
}
