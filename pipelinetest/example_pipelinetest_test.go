package pipelinetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/pipelinetest"
)

// t stands for what a test function is given.
type t struct{ testing.TB }

func (t) Helper()                           {}
func (t) Context() context.Context          { return context.Background() }
func (t) Cleanup(func())                    {}
func (t) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func Example() {
	p := pipeline.New("letters")
	in := pipeline.NewPipe[string](p, "in")
	away := true
	pipeline.Stage(in, "post", filters.Map(func(_ context.Context, s string) (string, error) {
		if away {
			return "", errors.New("the postman is away")
		}
		return s + " is posted", nil
	}), pipeline.Park(1, pipeline.Constant(time.Hour)), pipeline.Open())

	d := pipelinetest.New(t{}, p)
	d.Put("in", "a letter")
	fmt.Println(len(pipelinetest.Values[string](d, "post")), "posted")
	away = false
	d.Advance(time.Hour)
	fmt.Println(pipelinetest.Values[string](d, "post"), len(d.Failures("post")), "failed")
	// Output:
	// 0 posted
	// [a letter is posted] 0 failed
}
