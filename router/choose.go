package router

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock/penstock/pipeline"
)

// choose finds the stages and sources that the configuration names.
func choose(cfg Config, graphs []*pipeline.Graph) ([]*pipeline.StageNode, []*pipeline.SourceNode, error) {
	var stages named[*pipeline.StageNode]
	var sources named[*pipeline.SourceNode]
	for _, g := range graphs {
		for _, s := range g.Stages {
			stages.add(g.Name, s.Name, s)
		}
		for _, s := range g.Sources {
			sources.add(g.Name, s.Name, s)
		}
	}
	all := len(cfg.Stages) == 0 && len(cfg.Sources) == 0
	chosenStages, errStages := stages.choose("stage", cfg.Stages, all)
	chosenSources, errSources := sources.choose("source", cfg.Sources, all)
	if err := errors.Join(errStages, errSources); err != nil {
		return nil, nil, err
	}
	return chosenStages, chosenSources, nil
}

// named is a list of nodes that can be asked for by name, with or without
// their pipeline's.
type named[T comparable] struct {
	nodes []T
	names []string // "pipeline.name" of each
}

func (n *named[T]) add(pipeline, name string, node T) {
	n.nodes = append(n.nodes, node)
	n.names = append(n.names, pipeline+"."+name)
}

func (n *named[T]) choose(kind string, wanted []string, all bool) ([]T, error) {
	if all {
		return n.nodes, nil
	}
	var errs []error
	keep := map[T]bool{}
	for _, w := range wanted {
		var found []string
		for i, name := range n.names {
			if name == w || strings.HasSuffix(name, "."+w) {
				found = append(found, name)
				keep[n.nodes[i]] = true
			}
		}
		switch {
		case len(found) == 0:
			errs = append(errs, fmt.Errorf("there is no %s %q; there are: %s", kind, w, strings.Join(n.names, ", ")))
		case len(found) > 1:
			errs = append(errs, fmt.Errorf("%s %q is ambiguous: say which of %s", kind, w, strings.Join(found, ", ")))
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(n.nodes), func(node T) bool { return !keep[node] })
	return chosen, errors.Join(errs...)
}
