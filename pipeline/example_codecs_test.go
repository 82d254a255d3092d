package pipeline_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/schemas/registry"
)

// Who runs stages opens their codecs first. The commands of a program do so.
func ExampleStageNode_Codecs() {
	p := pipeline.New("orders")
	in := pipeline.NewPipe(p, "placed", pipeline.Codec(schemas.Avro[order](orderSchema)))
	pipeline.Stage(in, "double", doubled(), pipeline.Open())
	g, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}

	server := srfake.New() // stands in for a real registry
	defer server.Close()
	client, err := registry.New(registry.Config{URLs: []string{server.URL()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	for _, use := range g.Stages[0].Codecs() {
		opening := schemas.Opening{Registry: client, Topic: use.Topic, Writes: use.Writes}
		if err := use.Codec.Open(context.Background(), opening); err != nil {
			fmt.Println(err)
		}
		subject := use.Codec.Subject(use.Topic)
		fmt.Println(subject, "registered:", server.SubjectExists(subject))
	}
	// Output:
	// orders.placed-value registered: false
	// orders.double-value registered: true
}
