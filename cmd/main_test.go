package cmd_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// childVariable makes this test binary a program whose filter waits for a line
// of standard input, for the tests of signals.
const childVariable = "CMD_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		waiting().Execute()
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick")) // sarama's, for ever
}

func waiting() cmd.Program {
	return cmd.Program{Name: "waiting", Pipelines: func() ([]*pipeline.Pipeline, error) {
		p := pipeline.New("w")
		in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(1))
		stdin := bufio.NewReader(os.Stdin)
		pipeline.Stage(in, "wait", filters.Map(func(_ context.Context, v []byte) ([]byte, error) {
			fmt.Fprintf(os.Stderr, "working on %s\n", v)
			_, err := stdin.ReadString('\n')
			return v, err
		}), pipeline.Open())
		return []*pipeline.Pipeline{p}, nil
	}}
}
