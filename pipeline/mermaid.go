package pipeline

import (
	"fmt"
	"strings"
)

// Mermaid is the topology as a Mermaid flowchart: sources are rounded, pipes are
// cylinders, stages are boxes.
func (t Topology) Mermaid() string {
	var b strings.Builder
	ids := make(map[string]string) // by node, as edges name them
	node := func(kind, name, shape string) {
		id := fmt.Sprintf("n%d", len(ids)) // a name could be a word of Mermaid's
		ids[kind+" "+name] = id
		fmt.Fprintf(&b, "    "+shape+"\n", id, name)
	}
	b.WriteString("flowchart LR\n")
	for _, s := range t.Sources {
		node("source", s.Name, `%s(["%s"])`)
	}
	for _, p := range t.Pipes {
		node("pipe", p.Name, `%s[("%s")]`)
	}
	for _, s := range t.Stages {
		node("stage", s.Name, `%s["%s"]`)
	}
	for _, e := range t.Edges {
		fmt.Fprintf(&b, "    %s --> %s\n", ids[e.From], ids[e.To])
	}
	return b.String()
}
