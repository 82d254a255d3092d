package pipeline_test

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

func TestBuildRefusesABadPipelineName(t *testing.T) {
	t.Parallel()
	p := pipeline.New("my orders")
	pipeline.Sink(placed(p), "store", drop())
	_, err := p.Build()
	require.ErrorContains(t, err, `the pipeline's name "my orders" has ' ' in it; use letters, digits, - and _`)
}

func TestBuildReportsBothPipelinesThatAreMixed(t *testing.T) {
	t.Parallel()
	ours, theirs := pipeline.New("ours"), pipeline.New("theirs")
	pipeline.Sink(pipeline.Merge(placed(ours), placed(theirs)), "store", drop())
	for _, p := range []*pipeline.Pipeline{ours, theirs} {
		_, err := p.Build()
		require.ErrorContains(t, err, `mixes pipelines "ours" and "theirs"`)
	}
}

// lineOf returns the line that it is called from.
func lineOf() int {
	_, _, line, _ := runtime.Caller(1) //nolint:dogsled // its signature
	return line
}

// The lines of a report are those of the user's program, in their order.
func TestBuildNamesThePlaces(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	here := lineOf()
	in := pipeline.NewPipe[order](p, "in", pipeline.Partitions(-1))
	pipeline.Stage(in, "x y", doubled(), pipeline.Open())
	pipeline.Sink(in, "store", nil)
	_, err := p.Build()
	var broken *pipeline.BuildError
	require.ErrorAs(t, err, &broken)
	require.Len(t, broken.Problems, 3)
	for i, problem := range broken.Problems {
		require.Equal(t, "build_test.go:"+strconv.Itoa(here+1+i), problem.Where)
	}
	require.Equal(t, broken.Problems[0].Where+": "+broken.Problems[0].Text, broken.Problems[0].String())
}

func TestBuildTwiceReturnsTheSameGraph(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	pipeline.Sink(placed(p), "store", drop())
	first := build(t, p)
	require.Same(t, first, build(t, p))
}

func TestDeclaringAfterBuildIsReported(t *testing.T) {
	t.Parallel()
	p := pipeline.New("test")
	in := placed(p)
	route := pipeline.Branch(in, "route")
	route.When("large", isLarge, pipeline.Open())
	g := build(t, p)
	outputs := len(g.Stages[0].Outputs)

	pipeline.Source(p, "late", orders{})
	pipeline.Stage(in, "later", doubled())
	pipeline.Sink(in, "latest", drop())
	pipeline.Branch(in, "other")
	route.Otherwise("rest")
	_, err := p.Build()
	for _, what := range []string{`pipe "late"`, `source "late"`, `pipe "later"`, `stage "later"`, `sink "latest"`, `branch "other"`, `pipe "rest"`} {
		require.ErrorContains(t, err, what+" is declared after Build; declare everything before")
	}
	require.Len(t, g.Pipes, 2)
	require.Len(t, g.Stages, 1)
	require.Empty(t, g.Sources)
	require.Len(t, g.Stages[0].Outputs, outputs, "a graph does not change")
}

func TestZeroPipePanicsWithItsPlace(t *testing.T) {
	t.Parallel()
	var zero pipeline.Pipe[order]
	for want, declare := range map[string]func(){
		`stage "x" reads a zero Pipe`:  func() { pipeline.Stage(zero, "x", doubled()) },
		`sink "x" reads a zero Pipe`:   func() { pipeline.Sink(zero, "x", drop()) },
		`branch "x" reads a zero Pipe`: func() { pipeline.Branch(zero, "x") },
		`Merge reads a zero Pipe`:      func() { pipeline.Merge(zero, zero) },
		`Merge of no pipes`:            func() { pipeline.Merge[order]() },
		`declared in a nil Pipeline`:   func() { pipeline.NewPipe[order](nil, "x") },
		`source "x" is declared in a`:  func() { pipeline.Source(nil, "x", orders{}) },
	} {
		func() {
			defer func() {
				text, _ := recover().(string)
				require.Regexp(t, `^pipeline: build_test\.go:\d+: `, text)
				require.Contains(t, text, want)
			}()
			declare()
		}()
	}
}
