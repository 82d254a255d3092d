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

// The postman is away for a while: what he cannot post is parked, and time passes
// when the test says so.
func Example() {
	t := &tb{} // a test function is given one
	defer t.end()

	p := pipeline.New("letters")
	in := pipeline.NewPipe[string](p, "in")
	away := true
	pipeline.Stage(in, "post", filters.Map(func(_ context.Context, s string) (string, error) {
		if away {
			return "", errors.New("the postman is away")
		}
		return s + " is posted", nil
	}), pipeline.Park(1, pipeline.Constant(time.Hour)), pipeline.Open())

	d := pipelinetest.New(t, p)
	d.Put("in", "a letter")
	fmt.Println(len(pipelinetest.Values[string](d, "post")), "posted")
	away = false
	d.Advance(time.Hour)
	fmt.Println(pipelinetest.Values[string](d, "post"), len(d.Failures("post")), "failed")
	// Output:
	// 0 posted
	// [a letter is posted] 0 failed
}
