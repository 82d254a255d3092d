package pipelinetest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
)

// What fails is tried as often as the stage says, however long that takes outside
// of tests, and then taken out of the flow with its story.
func ExampleDriver_Drain() {
	p := pipeline.New("letters")
	in := pipeline.NewPipe[string](p, "in")
	pipeline.Stage(in, "post", filters.Map(func(context.Context, string) (string, error) {
		return "", errors.New("the address does not exist")
	}), pipeline.Retry(2, pipeline.Constant(time.Minute)), pipeline.Park(3, pipeline.Constant(24*time.Hour)), pipeline.Open())

	t := &tb{} // a test function is given one
	defer t.end()
	d := pipelinetest.New(t, p)
	d.Put("in", "a letter")
	fmt.Println(len(d.Failures("post")), "failed")
	d.Drain()
	for _, f := range d.Failures("post") {
		fmt.Printf("%s failed %d times: %s\n", f.Value, f.Attempts, f.Last)
	}
	// Output:
	// 0 failed
	// "a letter" failed 5 times: the address does not exist
}
