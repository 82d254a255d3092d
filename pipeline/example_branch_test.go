package pipeline_test

import (
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// A branch sends each message into one pipe, and a merge reads several as one.
func ExampleBranch() {
	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	route := pipeline.Branch(lines, "route")
	precious := route.When("precious", func(l Line) bool { return l.Cents > 100_000 })
	usual := route.Otherwise("usual")
	pipeline.Sink(precious, "insure", store())
	pipeline.Sink(pipeline.Merge(precious, usual), "store", store())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, edge := range graph.Topology().Edges {
		fmt.Println(edge.From, "→", edge.To)
	}
	// Output:
	// pipe lines → stage route
	// stage route → pipe precious
	// stage route → pipe usual
	// pipe precious → stage insure
	// pipe precious → stage store
	// pipe usual → stage store
}
