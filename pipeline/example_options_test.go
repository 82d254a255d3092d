package pipeline_test

import (
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/pipeline"
)

// Options that stages share are named once. Any Watermill middleware can go
// around a stage.
func ExampleOptions() {
	timed := func(next message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			start := time.Now()
			defer func() { fmt.Println(m.UUID, "took", time.Since(start)) }()
			return next(m)
		}
	}
	patient := pipeline.Options(
		pipeline.Retry(10, pipeline.Constant(time.Minute)),
		pipeline.Timeout(time.Minute),
		pipeline.Use(timed),
	)

	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	pipeline.Sink(lines, "store", store(), patient)
	pipeline.Sink(lines, "print", store(), patient)

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, stage := range graph.Stages {
		fmt.Println(stage.Name, stage.Attempts, stage.Backoff, stage.Timeout, len(stage.Middleware))
	}
	// Output:
	// store 10 1m0s 1m0s 1
	// print 10 1m0s 1m0s 1
}
