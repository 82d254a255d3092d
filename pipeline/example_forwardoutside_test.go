package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// Messages go to the topic of who they are for, as they came.
func ExampleForwardOutside() {
	bought := pipeline.NewOutside[Line]("line.bought", nil, nil)
	deal := filters.Func(func(_ context.Context, m *pipeline.Message[Line], out *pipeline.Emitter[pipeline.None]) error {
		pipeline.ForwardOutside(out, bought, "customers."+m.Body.Customer, m)
		return nil
	})

	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	pipeline.Sink(lines, "deal", deal)
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, customer := range []string{"ann", "a/b"} {
		d := &pipeline.Delivery{Value: fmt.Appendf(nil, `{"Customer":%q}`, customer)}
		var made pipeline.Outputs
		err = graph.Stages[0].Calls[0](context.Background(), d, &made)
		for _, o := range made.List {
			fmt.Printf("%s: %s\n", o.Topic(), o.Value)
		}
		fmt.Println(err)
	}
	// Output:
	// customers.ann: {"Customer":"ann"}
	// <nil>
	// write to topic "customers.a/b": the name has a character in it that Kafka does not take; it takes letters, digits, ., _ and -
}
