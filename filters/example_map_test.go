package filters_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// The function is tested as the plain function that it is. Apply shows what a
// stage would emit.
func ExampleMap() {
	shout := func(_ context.Context, s string) (string, error) { return strings.ToUpper(s) + "!", nil }

	made, err := pipeline.Apply(context.Background(), filters.Map(shout), "hello")
	fmt.Println(made, err)
	// Output: [HELLO!] <nil>
}
