package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// What a payment is turned into is booked once, also when a process is killed in
// the middle. Who reads the bookings sees them within 20 ms.
func ExampleExactlyOnce() {
	p := pipeline.New("bank")
	payments := pipeline.NewPipe[int](p, "payments")
	pipeline.Stage(payments, "book", filters.Map(func(_ context.Context, cents int) (string, error) {
		return fmt.Sprintf("%d.%02d", cents/100, cents%100), nil
	}),
		pipeline.ExactlyOnce(),
		pipeline.CommitEvery(20*time.Millisecond, 10_000),
		pipeline.Open())

	g, err := p.Build()
	fmt.Println(err)
	stage := g.Topology().Stages[0]
	fmt.Println(stage.ExactlyOnce, stage.CommitEvery)
	// Output:
	// <nil>
	// true 20ms or 10000 messages
}
