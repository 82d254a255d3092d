package pipeline_test

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// csv writes a line as the office wants it.
type csv struct{}

func (csv) Encode(l Line) ([]byte, error) { return fmt.Appendf(nil, "%s,%d", l.Item, l.Cents), nil }

func (csv) Decode(_ context.Context, b []byte) (Line, error) {
	var l Line
	_, err := fmt.Sscanf(string(b), "%3s,%d", &l.Item, &l.Cents)
	return l, err
}

func (csv) ContentType() string { return "text/csv" }

// A pipe has a codec and a key. Triggers that a person writes are JSON
// nevertheless.
func ExampleCodec() {
	p := pipeline.New("shop")
	pipeline.NewPipe(p, "lines", pipeline.Codec[Line](csv{}), pipeline.Key(func(l Line) string { return l.Item }), pipeline.Open())
	pipeline.NewPipe(p, "scans", pipeline.Codec(schemas.Raw()), pipeline.Open())

	graph, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	value, key, _, err := graph.Pipes[0].EncodeJSON(context.Background(), []byte(`{"Item":"pen","Cents":250}`))
	fmt.Printf("%s with key %s, %v\n", value, key, err)
	// Output: pen,250 with key pen, <nil>
}
