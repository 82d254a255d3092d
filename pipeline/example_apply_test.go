package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// Apply shows what a filter makes of a value, without a pipeline.
func ExampleApply() {
	made, err := pipeline.Apply(context.Background(), filters.FlatMap(split), Order{Customer: "Ada", Items: []string{"pen", "ink"}})
	for _, line := range made {
		fmt.Println(line.Customer, line.Item)
	}
	fmt.Println(err)
	// Output:
	// Ada pen
	// Ada ink
	// <nil>
}
