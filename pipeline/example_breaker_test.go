package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// While the mail server is down one message at a time finds out whether it is
// back, and no message uses up its attempts.
func ExampleBreaker() {
	p := pipeline.New("mail")
	letters := pipeline.NewPipe[string](p, "letters")
	pipeline.Stage(letters, "send", filters.Map(func(_ context.Context, letter string) (string, error) {
		return letter, nil // think of a call that may fail
	}),
		pipeline.Retry(5, pipeline.Exponential(100*time.Millisecond, time.Second)),
		pipeline.Breaker(5, pipeline.Exponential(time.Second, 30*time.Second)),
		pipeline.Open())

	g, err := p.Build()
	fmt.Println(err)
	fmt.Println(g.Topology().Stages[0].Breaker)
	// Output:
	// <nil>
	// after 5 failures in a row, probed after 1s to 30s
}
