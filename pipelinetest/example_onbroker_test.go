package pipelinetest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
)

// The same test, quickly in memory and through all that a program does.
func ExampleOnBroker() {
	p := pipeline.New("shouts")
	words := pipeline.NewPipe[string](p, "words")
	pipeline.Stage(words, "shout", filters.Map(func(_ context.Context, s string) (string, error) {
		return strings.ToUpper(s), nil
	}), pipeline.Open())

	for name, opts := range map[string][]pipelinetest.Option{
		"in memory":   nil,
		"on a broker": {pipelinetest.OnBroker()},
	} {
		t := &tb{} // a test function is given one
		d := pipelinetest.New(t, p, opts...)
		d.Put("words", "hey", "you")
		fmt.Println(name, pipelinetest.Values[string](d, "shout"))
		t.end()
	}
	// Unordered output:
	// in memory [HEY YOU]
	// on a broker [HEY YOU]
}
