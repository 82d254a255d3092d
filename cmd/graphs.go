package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/penstock/penstock/pipeline"
)

// graphs builds the program's pipelines.
func (a *app) graphs() ([]*pipeline.Graph, error) {
	pipelines, err := a.program.Pipelines()
	if err != nil {
		return nil, wrongUse("%w", err)
	}
	if len(pipelines) == 0 {
		return nil, wrongUse("the program has no pipelines: give some to cmd.Execute")
	}
	var graphs []*pipeline.Graph
	var errs []error
	seen := map[string]bool{}
	for _, p := range pipelines {
		g, err := p.Build()
		switch {
		case err != nil:
			errs = append(errs, err)
		case seen[g.Name]:
			errs = append(errs, fmt.Errorf("there are two pipelines of the name %q: give one of them another", g.Name))
		default:
			seen[g.Name] = true
			graphs = append(graphs, g)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, wrongUse("%w", err)
	}
	return graphs, nil
}

// named finds the one of nodes whose name, with or without its pipeline's, is
// wanted. names are "pipeline.name" of each node.
func named[T any](kind, wanted string, names []string, nodes []T) (T, error) {
	var found []int
	for i, name := range names {
		if name == wanted || strings.HasSuffix(name, "."+wanted) {
			found = append(found, i)
		}
	}
	var none T
	switch len(found) {
	case 1:
		return nodes[found[0]], nil
	case 0:
		return none, wrongUse("there is no %s %q; there are: %s", kind, wanted, strings.Join(names, ", "))
	}
	several := make([]string, len(found))
	for i, at := range found {
		several[i] = names[at]
	}
	return none, wrongUse("%s %q is ambiguous: say which of %s", kind, wanted, strings.Join(several, ", "))
}
