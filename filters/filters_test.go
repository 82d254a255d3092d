package filters_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// What the tests of the filters share.

// failed is an error of a user's function.
type failed struct{}

func (failed) Error() string { return "failed" }

// stage builds a pipeline of one stage that runs f.
func stage[In, Out any](t *testing.T, f pipeline.Filter[In, Out]) *pipeline.StageNode {
	t.Helper()
	p := pipeline.New("test")
	in := pipeline.NewPipe[In](p, "in")
	pipeline.Stage(in, "stage", f, pipeline.Open())
	g, err := p.Build()
	require.NoError(t, err)
	return g.Stages[0]
}

// run gives the stage one message.
func run(t *testing.T, s *pipeline.StageNode, d *pipeline.Delivery) ([]pipeline.Output, error) {
	t.Helper()
	var outs pipeline.Outputs
	err := s.Calls[0](t.Context(), d, &outs)
	return outs.List, err
}

// delivery is a message with the id "parent" and the key "k".
func delivery(value string) *pipeline.Delivery {
	d := &pipeline.Delivery{Value: []byte(value), Attempt: 1}
	d.ID, d.Key, d.HasKey = "parent", "k", true
	return d
}

var nilFilters = map[string]pipeline.Filter[int, int]{
	"Map":       filters.Map[int, int](nil),
	"FlatMap":   filters.FlatMap[int, int](nil),
	"Keep":      filters.Keep[int](nil),
	"Func":      filters.Func[int, int](nil),
	"Watermill": filters.Watermill[int, int](nil),
}

// A filter of no function is found when the pipeline is built, not when the
// first message comes.
func TestNilFunctionsAreFoundByBuild(t *testing.T) {
	t.Parallel()
	for name, f := range nilFilters {
		p := pipeline.New("test")
		in := pipeline.NewPipe[int](p, "in")
		pipeline.Stage(in, "stage", f, pipeline.Open())
		_, err := p.Build()
		require.ErrorContains(t, err, `stage "stage" has a nil filter; give it one`, name)
	}
}

// double is a plain function: its own tests need nothing of this.
func double(_ context.Context, n int) (int, error) {
	if n < 0 {
		return 0, failed{}
	}
	return 2 * n, nil
}
