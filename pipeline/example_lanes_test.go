package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A stage that calls a service waits most of the time, so it works on many
// customers side by side, and on the messages of each one after the other.
func ExampleLanes() {
	p := pipeline.New("mail")
	signedUp := pipeline.NewPipe[string](p, "signed-up", pipeline.Key(func(customer string) string { return customer }))
	pipeline.Stage(signedUp, "greet", filters.Map(func(_ context.Context, customer string) (string, error) {
		return "Dear " + customer, nil // think of a slow call here
	}), pipeline.Lanes(64), pipeline.Open())

	g, err := p.Build()
	fmt.Println(g.Stages[0].Lanes, err)
	// Output: 64 <nil>
}
