package cmd

import (
	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
)

// completeNames lets the shell complete names of the program's pipelines; a
// program without any, or with mistakes in them, completes nothing.
func (a *app) completeNames(of func(*pipeline.Graph) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if a.program.Pipelines == nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		graphs, err := a.graphs()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var names []cobra.Completion
		for _, g := range graphs {
			names = append(names, of(g)...)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFlag is completeNames for the value of a flag.
func (a *app) completeFlag(c *cobra.Command, flag string, of func(*pipeline.Graph) []string) {
	complete := a.completeNames(of)
	// The only error is that the flag does not exist, or that this was said before.
	_ = c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return complete(c, nil, typed)
	})
}

func stageNames(g *pipeline.Graph) []string {
	names := make([]string, len(g.Stages))
	for i, s := range g.Stages {
		names[i] = s.Group
	}
	return names
}

func sourceNames(g *pipeline.Graph) []string {
	names := make([]string, len(g.Sources))
	for i, s := range g.Sources {
		names[i] = g.Name + "." + s.Name
	}
	return names
}

func pipeNames(g *pipeline.Graph) []string {
	names := make([]string, len(g.Pipes))
	for i, p := range g.Pipes {
		names[i] = p.Topic
	}
	return names
}

func pipelineName(g *pipeline.Graph) []string { return []string{g.Name} }
