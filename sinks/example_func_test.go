package sinks_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// The message's id is the same on every attempt: a receiver that knows it can
// leave out what it has seen.
func ExampleFunc() {
	mail := func(ctx context.Context, address string) error {
		fmt.Printf("mail to %s, id %s\n", address, pipeline.FromContext(ctx).ID)
		return nil
	}

	d := &pipeline.Delivery{Attempt: 1}
	d.ID = "welcome-7"
	_, err := pipeline.Apply(pipeline.WithDelivery(context.Background(), d), sinks.Func(mail), "ann@example.org")
	fmt.Println(err)
	// Output:
	// mail to ann@example.org, id welcome-7
	// <nil>
}
