package pipeline

import (
	"slices"
	"strings"
)

// feeds tells whether some output of a is an input of b, and which.
func feeds(a, b *StageNode) *PipeNode {
	for _, o := range a.Outputs {
		if slices.Contains(b.Inputs, o) {
			return o
		}
	}
	return nil
}

// cycles reports shortest cycles that share no stage: enough to see and to cut
// them all. Only side outlets can make one: an input is declared before its
// stage.
func (c *checks) cycles() {
	reported := make(map[*StageNode]bool)
	for _, s := range c.p.stages {
		if reported[s] {
			continue
		}
		cycle := shortestCycle(c.p.stages, s, reported)
		if cycle == nil {
			continue
		}
		var b strings.Builder
		for i, n := range cycle {
			reported[n] = true
			next := cycle[(i+1)%len(cycle)]
			b.WriteString(n.Name + " → (" + feeds(n, next).Name + ") → ")
		}
		c.problemf(s.at, "stage %q feeds itself: %s%s; a job must come to an end, so let one outlet lead elsewhere", s.Name, b.String(), s.Name)
	}
}

// shortestCycle returns the stages of a cycle through start, from start on, or
// nil. It goes breadth first and around the stages to avoid.
func shortestCycle(all []*StageNode, start *StageNode, avoid map[*StageNode]bool) []*StageNode {
	from := make(map[*StageNode]*StageNode)
	queue := []*StageNode{start}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if feeds(s, start) != nil {
			path := []*StageNode{s}
			for s != start {
				s = from[s]
				path = append(path, s)
			}
			slices.Reverse(path)
			return path
		}
		for _, next := range all {
			if _, seen := from[next]; !seen && next != start && !avoid[next] && feeds(s, next) != nil {
				from[next] = s
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// sortStages puts each stage after those that feed it, and else keeps the order
// of declaration. There is no cycle.
func sortStages(stages []*StageNode) []*StageNode {
	sorted := make([]*StageNode, 0, len(stages))
	rest := slices.Clone(stages)
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(s *StageNode) bool {
			return !slices.ContainsFunc(rest, func(r *StageNode) bool { return feeds(r, s) != nil })
		})
		sorted = append(sorted, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return sorted
}
