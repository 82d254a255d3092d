package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/pipeline"
)

// Build finds a cycle exactly where a stage can reach itself, and each cycle that
// it names is one. The model is Warshall's transitive closure.
func TestBuildFindsCycles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "stages")
		p := pipeline.New("test")
		pipes := make([]pipeline.Pipe[order], n)
		for i := range pipes {
			pipes[i] = pipeline.NewPipe[order](p, fmt.Sprintf("p%d", i))
		}
		// Stage i reads pipe i and emits to some pipes, so an edge i→j is an
		// outlet of i to pipe j.
		edge := make([][]bool, n)
		for i := range edge {
			edge[i] = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bool { return rapid.IntRange(0, 3).Draw(t, "edge") == 0 }), n, n).Draw(t, "edges")
			var to toOutlets
			for j, ok := range edge[i] {
				if ok {
					to = append(to, pipes[j])
				}
			}
			pipeline.Sink(pipes[i], fmt.Sprintf("s%d", i), to)
		}
		g, err := p.Build()
		reach := closure(edge)
		onCycle := false
		for i := range reach {
			onCycle = onCycle || reach[i][i]
		}
		require.Equal(t, onCycle, err != nil, "%v", err)
		if err != nil {
			checkCycles(t, err, edge, reach)
			return
		}
		place := make(map[string]int)
		for i, s := range g.Stages {
			place[s.Name] = i
		}
		for i := range edge {
			for j, ok := range edge[i] {
				if ok {
					require.Less(t, place[fmt.Sprintf("s%d", i)], place[fmt.Sprintf("s%d", j)], "stages are in topological order")
				}
			}
		}
	})
}

// checkCycles follows what an error names, "s0 → (p1) → s1 → (p0) → s0", and asks
// that no stage is named twice, and that each cycle has one.
func checkCycles(t *rapid.T, err error, edge, reach [][]bool) {
	var broken *pipeline.BuildError
	require.ErrorAs(t, err, &broken)
	named := make(map[int]bool)
	for _, problem := range broken.Problems {
		_, path, _ := strings.Cut(problem.Text, "feeds itself: ")
		path, _, _ = strings.Cut(path, ";")
		steps := strings.Split(path, " → ")
		require.Equal(t, steps[0], steps[len(steps)-1])
		for k := 0; k+2 < len(steps); k += 2 {
			var from, via, to int
			_, scanErr := fmt.Sscanf(strings.Join(steps[k:k+3], " "), "s%d (p%d) s%d", &from, &via, &to)
			require.NoError(t, scanErr)
			require.Equal(t, via, to)
			require.True(t, edge[from][to], "%s", path)
			require.False(t, named[from], "s%d is in two cycles that were named", from)
			named[from] = true
		}
	}
	for i := range reach {
		if !reach[i][i] {
			require.False(t, named[i])
			continue
		}
		touched := false // i's cycles share a stage with one that is named
		for j := range named {
			touched = touched || reach[i][j] && reach[j][i]
		}
		require.True(t, touched)
	}
}

func closure(edge [][]bool) [][]bool {
	reach := make([][]bool, len(edge))
	for i := range edge {
		reach[i] = append([]bool(nil), edge[i]...)
	}
	for k := range reach {
		for i := range reach {
			for j := range reach {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	return reach
}
