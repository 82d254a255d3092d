package pipeline_test

import (
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// Build finds all mistakes at once, and says what to change.
func ExamplePipeline_Build() {
	p := pipeline.New("orders")
	placed := pipeline.NewPipe[Order](p, "placed orders", pipeline.Partitions(0))
	lines := pipeline.Stage(placed, "split", filters.FlatMap(split))
	pipeline.Stage(lines, "price", filters.Map(price))
	pipeline.Sink(lines, "store", store(), pipeline.Named("stored"))
	pipeline.Sink(lines, "store", store())

	_, err := p.Build()
	fmt.Println(err)
	// Output:
	// pipeline "orders" cannot be built, it has 5 mistakes:
	//   example_build_test.go:13: pipe "placed orders": Partitions(0) is below 1; give it at least 1
	//   example_build_test.go:13: the name "placed orders" of a pipe has ' ' in it; use letters, digits, - and _
	//   example_build_test.go:15: pipe "price" is read by no stage; add one, or mark it with pipeline.Open() if other programs read its topic
	//   example_build_test.go:16: sink "store" makes no pipe, so it cannot take Named; leave it out
	//   example_build_test.go:17: stage "store" is declared already at example_build_test.go:16; give one of them another name
}
