package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
)

const (
	formatFlag    = "format"
	formatMermaid = "mermaid"
)

func (a *app) topology() *cobra.Command {
	c := &cobra.Command{
		Use:   "topology [PIPELINE]",
		Short: "Show sources, pipes and stages",
		Long: `Topology shows the sources, pipes and stages of all pipelines, or of one: as
tables, as JSON (a list of pipelines), or as a Mermaid flowchart. It needs no
cluster.`,
		Example: a.example("{} topology", "{} topology --format mermaid", "{} topology --format json"),
		Args:    cobra.MaximumNArgs(1),
	}
	format := &choice{value: formatText, among: []string{formatText, formatJSON, formatMermaid}}
	c.Flags().Var(format, formatFlag, "`format` of what is printed: text, json or mermaid")
	c.ValidArgsFunction = a.completeNames(pipelineName)
	a.does(c, func(_ context.Context, args []string) error {
		graphs, err := a.graphs()
		if err != nil {
			return err
		}
		if len(args) == 1 {
			names := make([]string, len(graphs))
			for i, g := range graphs {
				names[i] = g.Name
			}
			g, err := named("pipeline", args[0], names, graphs)
			if err != nil {
				return err
			}
			graphs = []*pipeline.Graph{g}
		}
		return a.printTopology(graphs, format.value)
	})
	return a.buildsPipelines(c)
}

func (a *app) printTopology(graphs []*pipeline.Graph, format string) error {
	all := make([]pipeline.Topology, len(graphs))
	texts := make([]string, len(graphs))
	for i, g := range graphs {
		all[i] = g.Topology()
		texts[i] = all[i].Text()
	}
	switch format {
	case formatJSON:
		a.stdout.document(all)
	case formatMermaid:
		if len(all) > 1 {
			return wrongUse("a Mermaid flowchart shows one pipeline: say which")
		}
		fmt.Fprint(a.stdout, all[0].Mermaid())
	default:
		fmt.Fprint(a.stdout, strings.Join(texts, "\n"))
	}
	return nil
}
