package filters_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A text becomes a message for each of its words.
func ExampleFlatMap() {
	words := func(_ context.Context, text string) ([]string, error) { return strings.Fields(text), nil }

	made, err := pipeline.Apply(context.Background(), filters.FlatMap(words), "one two three")
	fmt.Println(len(made), made, err)
	// Output: 3 [one two three] <nil>
}
