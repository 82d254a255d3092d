package pipelinetest_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
	"github.com/penstock/penstock/schemas"
)

// A test of what a filter makes of ids, keys and headers.
func ExamplePutTriggers() {
	p := pipeline.New("letters")
	in := pipeline.NewPipe[string](p, "in")
	pipeline.Stage(in, "post", filters.Func(func(_ context.Context, m *pipeline.Message[string], out *pipeline.Emitter[string]) error {
		out.Emit(m.Body+" in "+string(m.Headers[0].Value), pipeline.WithID(m.ID+"/posted"))
		return nil
	}), pipeline.Open())

	t := &tb{} // a test function is given one
	defer t.end()
	d := pipelinetest.New(t, p)
	pipelinetest.PutTriggers(d, "in", pipeline.Trigger[string]{
		Body: "a letter", ID: "letter-1", Key: "ann",
		Headers: []schemas.Header{{Name: "envelope", Value: []byte("blue")}},
	})
	for _, m := range d.Messages("post") {
		fmt.Println(m.ID, m.Key, string(m.Value))
	}
	// Output: letter-1/posted ann "a letter in blue"
}
