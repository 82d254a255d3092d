package sinks_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// Up to a hundred rows go into one statement. A row that is wrong is rejected
// alone; if the statement as a whole fails, all are tried again.
func ExampleBatch() {
	store := func(_ context.Context, rows []string) error {
		failed := sinks.BatchError{}
		for i, row := range rows {
			if row == "" {
				failed[i] = pipeline.Reject(errors.New("the row is empty"))
			}
		}
		fmt.Println("stored", len(rows)-len(failed), "of", len(rows))
		return failed
	}

	p := pipeline.New("report")
	rows := pipeline.NewPipe[string](p, "rows")
	pipeline.Sink(rows, "store", sinks.Batch(100, time.Second, store))
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}

	// A router gathers messages and calls the stage like this.
	batch := graph.Stages[0].Batch
	fmt.Println("up to", batch.Max, "in", batch.Wait)
	deliveries := []*pipeline.Delivery{{Value: []byte(`"a"`)}, {Value: []byte(`""`)}, {Value: []byte(`"b"`)}}
	errs := make([]error, len(deliveries))
	batch.Calls[0](context.Background(), deliveries, []*pipeline.Outputs{{}, {}, {}}, errs)
	fmt.Println(errs)
	// Output:
	// up to 100 in 1s
	// stored 2 of 3
	// [<nil> the row is empty <nil>]
}
