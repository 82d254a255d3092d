package pipelinetest_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
)

// One stage of a pipeline is tested alone: the others do not run, and the test puts
// what they would have made.
func ExampleStage() {
	p := pipeline.New("sums")
	numbers := pipeline.NewPipe[int](p, "numbers")
	next := filters.Map(func(_ context.Context, n int) (int, error) { return n + 1, nil })
	first := pipeline.Stage(numbers, "first", next)
	pipeline.Stage(first, "second", next, pipeline.Open())

	t := &tb{} // a test function is given one
	defer t.end()
	d := pipelinetest.New(t, p, pipelinetest.Stage("second"))
	d.Put("numbers", 1)
	d.Put("first", 10)
	fmt.Println(pipelinetest.Values[int](d, "first"), pipelinetest.Values[int](d, "second"))
	// Output: [10] [11]
}
