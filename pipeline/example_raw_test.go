package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// scrub takes a word out of whatever bytes it is given.
type scrub struct{ word string }

func (scrub) Filter(context.Context, *pipeline.Message[Line], *pipeline.Emitter[Line]) error {
	return pipeline.Reject(errors.New("scrub works on bytes"))
}

func (s scrub) FilterRaw(_ context.Context, d *pipeline.Delivery) ([]pipeline.Output, error) {
	value := bytes.ReplaceAll(d.Value, []byte(s.word), []byte("…"))
	return []pipeline.Output{{Key: d.Key, HasKey: d.HasKey, Value: value}}, nil
}

// A raw filter spares its stage decoding and encoding.
func ExampleRawFilter() {
	made, err := pipeline.Apply[Line, Line](context.Background(), scrub{"Ada"}, Line{Customer: "Ada", Item: "pen"})
	fmt.Println(made, err)
	// Output: [{… pen 0}] <nil>
}
