package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// backlog is a source that puts a line for each item and is done. Its ids let a
// line be put once, also when the program starts again.
type backlog []string

func (b backlog) Source(ctx context.Context, emit pipeline.Emit[Line]) error {
	for _, item := range b {
		if err := emit(ctx, pipeline.Trigger[Line]{ID: "backlog/" + item, Body: Line{Item: item}}); err != nil {
			return err // called again later, from the beginning
		}
	}
	return nil
}

func (backlog) Once() bool   { return true }
func (backlog) Finite() bool { return true }

// A source is one method; what else it can say of itself is optional.
func ExampleSource() {
	p := pipeline.New("shop")
	lines := pipeline.Source(p, "backlog", backlog{"pen", "ink"}, pipeline.Key(func(l Line) string { return l.Item }))
	pipeline.Sink(lines, "store", store())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	source := graph.Sources[0]
	fmt.Println("once:", source.Once, "finite:", source.Finite)
	err = source.Run(context.Background(), func(_ context.Context, ts ...pipeline.RawTrigger) error {
		for _, t := range ts { // a runner stores them
			fmt.Printf("%s %s %s %s\n", t.Pipe.Topic, t.ID, t.Key, t.Value)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// once: true finite: true
	// shop.backlog backlog/pen pen {"Customer":"","Item":"pen","Cents":0}
	// shop.backlog backlog/ink ink {"Customer":"","Item":"ink","Cents":0}
	// <nil>
}
