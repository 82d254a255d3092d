package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// insert writes many lines with one statement.
type insert struct{}

func (insert) Filter(ctx context.Context, m *pipeline.Message[Line], out *pipeline.Emitter[pipeline.None]) error {
	return insert{}.FilterBatch(ctx, []pipeline.Item[Line, pipeline.None]{{Message: m, Out: out}})
}

func (insert) Batch() (int, time.Duration) { return 100, 50 * time.Millisecond }

func (insert) FilterBatch(_ context.Context, items []pipeline.Item[Line, pipeline.None]) error {
	rows := 0
	for _, item := range items {
		if item.Body.Item == "" {
			item.Fail(pipeline.Reject(errors.New("a line without item")))
			continue
		}
		rows++
	}
	fmt.Println("insert", rows, "rows")
	return nil
}

// A filter that takes batches fails single messages of them.
func ExampleBatchFilter() {
	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	pipeline.Sink(lines, "insert", insert{})

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	batch := graph.Stages[0].Batch
	deliveries := []*pipeline.Delivery{{Value: []byte(`{"Item":"pen"}`)}, {Value: []byte(`{}`)}}
	errs := make([]error, 2)
	batch.Calls[0](context.Background(), deliveries, []*pipeline.Outputs{{}, {}}, errs)
	fmt.Println(batch.Max, batch.Wait, errs)
	// Output:
	// insert 1 rows
	// 100 50ms [<nil> a line without item]
}
