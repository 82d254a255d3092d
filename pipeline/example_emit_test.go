package pipeline_test

import (
	"context"
	"fmt"
	"maps"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// The order of a map is another on every attempt, and so would be the derived
// ids: this filter names its messages itself.
func ExampleWithID() {
	counts := filters.Func(func(_ context.Context, m *pipeline.Message[map[string]int], out *pipeline.Emitter[int]) error {
		for word, n := range maps.All(m.Body) {
			out.Emit(n, pipeline.WithID(m.ID+"/"+word), pipeline.WithHeader("word", []byte(word)))
		}
		return nil
	})

	p := pipeline.New("words")
	texts := pipeline.NewPipe[map[string]int](p, "texts")
	pipeline.Stage(texts, "count", counts, pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	d := &pipeline.Delivery{Value: []byte(`{"a":1,"b":2}`)}
	d.ID = "text-1"
	var made pipeline.Outputs
	err = graph.Stages[0].Calls[0](context.Background(), d, &made)
	for _, o := range made.List {
		fmt.Printf("%s: %s, %s = %s\n", o.ID, o.Value, o.Headers[0].Name, o.Headers[0].Value)
	}
	fmt.Println(err)
	// Unordered output:
	// text-1/a: 1, word = a
	// text-1/b: 2, word = b
	// <nil>
}
