package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A payment that the bank does not take now is tried for days. Later payments of
// its customer wait for it, those of others do not. What the bank never takes
// waits for somebody who decides.
func ExamplePark() {
	p := pipeline.New("shop")
	payments := pipeline.NewPipe[string](p, "payments", pipeline.Key(func(customer string) string { return customer }))
	pipeline.Stage(payments, "pay", filters.Map(func(_ context.Context, customer string) (string, error) {
		return "paid by " + customer, nil // think of a call that may fail
	}),
		pipeline.Retry(3, pipeline.Exponential(100*time.Millisecond, time.Second)),
		pipeline.Park(20, pipeline.Exponential(time.Minute, 4*time.Hour)),
		pipeline.OnPoison(pipeline.HoldKey),
		pipeline.Open())

	g, err := p.Build()
	fmt.Println(err)
	stage := g.Topology().Stages[0]
	fmt.Println(stage.Parks, "times,", stage.ParkBackoff, "- on poison:", stage.OnPoison)
	fmt.Println(stage.RetryTopics[0])
	// Output:
	// <nil>
	// 20 times, 1m0s to 4h0m0s - on poison: hold key
	// shop.pay.retry.payments
}
