package pipelinetest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// tb stands for what a test function is given: an example has none.
type tb struct {
	testing.TB

	ends []func()
}

func (*tb) Helper()                           {}
func (*tb) Context() context.Context          { return context.Background() }
func (t *tb) Cleanup(f func())                { t.ends = append(t.ends, f) }
func (*tb) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (*tb) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// end is what happens at the end of a test.
func (t *tb) end() {
	for _, f := range slices.Backward(t.ends) {
		f()
	}
}
