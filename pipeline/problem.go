package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a pipeline.
type Problem struct {
	// Where is the file and line of the declaration.
	Where string

	// Text says what is wrong and what to change.
	Text string
}

// String is "file:line: what is wrong; what to change".
func (p Problem) String() string { return p.Where + ": " + p.Text }

// BuildError is what Build returns: every mistake of a pipeline, in the order of
// their places.
type BuildError struct {
	Pipeline string
	Problems []Problem
}

// Error has a line for each problem.
func (e *BuildError) Error() string {
	var b strings.Builder
	noun := "mistakes"
	if len(e.Problems) == 1 {
		noun = "mistake"
	}
	fmt.Fprintf(&b, "pipeline %q cannot be built, it has %d %s:", e.Pipeline, len(e.Problems), noun)
	for _, p := range e.Problems {
		b.WriteString("\n  ")
		b.WriteString(p.String())
	}
	return b.String()
}

// problem is a Problem that can still be sorted by its line.
type problem struct {
	at   place
	text string
}

func (p *Pipeline) problemf(at place, format string, args ...any) {
	p.problems = append(p.problems, problem{at, fmt.Sprintf(format, args...)})
}

// newBuildError sorts the problems by place and drops what is said twice.
func newBuildError(name string, ps []problem) *BuildError {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.at.file, b.at.file), cmp.Compare(a.at.line, b.at.line))
	})
	e := &BuildError{Pipeline: name}
	for _, p := range ps {
		out := Problem{Where: p.at.String(), Text: p.text}
		if !slices.Contains(e.Problems, out) {
			e.Problems = append(e.Problems, out)
		}
	}
	return e
}
