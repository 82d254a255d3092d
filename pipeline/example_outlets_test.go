package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// audit passes every line on, and tells of the expensive ones on the side.
type audit struct {
	expensive pipeline.Pipe[string]
}

func (a audit) Outlets() []pipeline.AnyPipe { return []pipeline.AnyPipe{a.expensive} }

func (a audit) Filter(_ context.Context, m *pipeline.Message[Line], out *pipeline.Emitter[Line]) error {
	if m.Body.Cents > 100 {
		pipeline.EmitTo(out, a.expensive, m.Body.Item)
	}
	pipeline.Forward(out, m)
	return nil
}

// A filter can emit to other pipes than its stage's own, if it says to which.
func ExampleEmitTo() {
	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	expensive := pipeline.NewPipe[string](p, "expensive", pipeline.Open())
	audited := pipeline.Stage[Line, Line](lines, "audit", audit{expensive})
	pipeline.Sink(audited, "store", store())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	var made pipeline.Outputs
	err = graph.Stages[0].Calls[0](context.Background(), &pipeline.Delivery{Value: []byte(`{"Item":"pen","Cents":250}`)}, &made)
	for _, o := range made.List {
		fmt.Printf("%s: %s\n", o.Pipe.Topic, o.Value)
	}
	fmt.Println(err)
	// Output:
	// shop.expensive: "pen"
	// shop.audit: {"Item":"pen","Cents":250}
	// <nil>
}
