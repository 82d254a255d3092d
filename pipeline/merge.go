package pipeline

import (
	"fmt"
	"slices"
)

// Merge makes one pipe of several for the stage that reads it. It adds no topic:
// the stage reads all of them, and orders nothing between them.
func Merge[T any](pipes ...Pipe[T]) Pipe[T] {
	at := where()
	if len(pipes) == 0 {
		panic(fmt.Sprintf("pipeline: %s: Merge of no pipes; give it at least two", at))
	}
	for _, p := range pipes {
		p.mustExist(at, "Merge")
	}
	m := Pipe[T]{p: pipes[0].p}
	if len(pipes) == 1 {
		m.p.problemf(at, "Merge of pipe %q alone; give it at least two, or leave Merge out", pipes[0].specs[0].node.Name)
	}
	for _, p := range pipes {
		if p.p != m.p {
			mixed(at, m.p, p.p, fmt.Sprintf("Merge takes pipe %q", p.specs[0].node.Name))
			continue
		}
		for _, s := range p.specs {
			if slices.Contains(m.specs, s) {
				m.p.problemf(at, "Merge takes pipe %q twice; name it once", s.node.Name)
				continue
			}
			m.specs = append(m.specs, s)
		}
	}
	return m
}
