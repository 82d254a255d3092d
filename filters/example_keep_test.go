package filters_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// Only even numbers go on.
func ExampleKeep() {
	even := filters.Keep(func(n int) bool { return n%2 == 0 })
	for n := range 4 {
		made, _ := pipeline.Apply(context.Background(), even, n)
		fmt.Println(n, made)
	}
	// Output:
	// 0 [0]
	// 1 []
	// 2 [2]
	// 3 []
}
