package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// A filter tells other programs of what it does: each tenant has a topic for that,
// which is no pipe of this pipeline.
func ExampleOutside() {
	told := pipeline.NewOutside[string]("bill.sent", nil, nil)
	bill := filters.Func(func(_ context.Context, m *pipeline.Message[int], out *pipeline.Emitter[string]) error {
		out.Emit(fmt.Sprintf("a bill of %d", m.Body))
		pipeline.EmitOutside(out, told, "tenants."+m.Key, "billed")
		return nil
	})

	p := pipeline.New("shop")
	sold := pipeline.NewPipe(p, "sold", pipeline.Key(func(int) string { return "blue" }))
	pipeline.Stage(sold, "bill", bill, pipeline.Open())
	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	d := &pipeline.Delivery{Value: []byte("17")}
	d.Key, d.HasKey = "blue", true
	var made pipeline.Outputs
	err = graph.Stages[0].Calls[0](context.Background(), d, &made)
	for _, o := range made.List {
		fmt.Printf("%s: %s\n", o.Topic(), o.Value)
	}
	fmt.Println(err)
	// Output:
	// shop.bill: "a bill of 17"
	// tenants.blue: "billed"
	// <nil>
}
