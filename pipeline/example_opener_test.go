package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
)

// archive is a sink that needs a connection.
type archive struct{}

func (*archive) Open(context.Context) error  { fmt.Println("connect"); return nil }
func (*archive) Close(context.Context) error { fmt.Println("disconnect"); return nil }

func (*archive) Filter(_ context.Context, m *pipeline.Message[Line], _ *pipeline.Emitter[pipeline.None]) error {
	fmt.Println("archive", m.Body.Item)
	return nil
}

// A filter that has something to open is opened before its first message and
// closed after its last.
func ExampleOpener() {
	_, err := pipeline.Apply[Line, pipeline.None](context.Background(), &archive{}, Line{Item: "pen"})
	fmt.Println(err)
	// Output:
	// connect
	// archive pen
	// disconnect
	// <nil>
}
