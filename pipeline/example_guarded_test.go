package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// courier calls a service. While that is down it is of no use to go on calling.
type courier struct{}

func (courier) Breaker() pipeline.BreakerNode {
	return pipeline.BreakerNode{Failures: 5, Probe: pipeline.Exponential(time.Second, time.Minute)}
}

func (courier) Filter(context.Context, *pipeline.Message[Line], *pipeline.Emitter[pipeline.None]) error {
	return nil
}

// A filter that knows when its stage should pause says so itself.
func ExampleGuarded() {
	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	pipeline.Sink[Line](lines, "ship", courier{}, pipeline.Retry(10, pipeline.Constant(time.Second)))

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	breaker := graph.Stages[0].Breaker
	fmt.Println("pauses after", breaker.Failures, "failures; tries again after", breaker.Probe)
	// Output: pauses after 5 failures; tries again after 1s to 1m0s
}
