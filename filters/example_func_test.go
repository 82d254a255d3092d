package filters_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// The general form sees key, headers, attempt and place of a message, and emits
// as often as it likes.
func ExampleFunc() {
	greet := filters.Func(func(_ context.Context, m *pipeline.Message[string], out *pipeline.Emitter[string]) error {
		out.Emit("hello " + m.Body)
		if m.Attempt > 1 {
			out.Emit("sorry that it took so long")
		}
		return nil
	})

	ctx := pipeline.WithDelivery(context.Background(), &pipeline.Delivery{Attempt: 2})
	made, _ := pipeline.Apply(ctx, greet, "Ada")
	for _, text := range made {
		fmt.Println(text)
	}
	// Output:
	// hello Ada
	// sorry that it took so long
}
