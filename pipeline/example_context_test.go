package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A plain function finds what came with its value in the context, such as the id
// that makes an effect outside idempotent.
func ExampleFromContext() {
	pay := func(ctx context.Context, l Line) (Line, error) {
		fmt.Println("pay", l.Cents, "with idempotency key", pipeline.FromContext(ctx).ID)
		return l, nil
	}

	d := &pipeline.Delivery{}
	d.ID = "line-7"
	_, err := pipeline.Apply(pipeline.WithDelivery(context.Background(), d), filters.Map(pay), Line{Cents: 250})
	fmt.Println(err)
	// Output:
	// pay 250 with idempotency key line-7
	// <nil>
}
