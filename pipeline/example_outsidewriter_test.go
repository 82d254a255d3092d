package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// ring tells another program of each line, and says so in advance.
type ring struct {
	told pipeline.Outside[string]
}

func (ring) OutsideTopics() []string { return []string{"doorbell"} }
func (r ring) OutsideCodec() any     { return r.told.Codec() }

func (r ring) Filter(_ context.Context, m *pipeline.Message[Line], out *pipeline.Emitter[pipeline.None]) error {
	pipeline.EmitOutside(out, r.told, "doorbell", "here is your "+m.Body.Item)
	return nil
}

// A filter whose topics outside are known names them: before a run begins it is
// seen that they exist, and that the stage may write to them.
func ExampleOutsideWriter() {
	p := pipeline.New("shop")
	lines := pipeline.NewPipe[Line](p, "lines")
	pipeline.Sink[Line](lines, "ring", ring{pipeline.NewOutside[string]("bell.rung", nil, nil)})

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(graph.Stages[0].OutsideTopics)
	// Output: [doorbell]
}
