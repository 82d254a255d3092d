package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

func (a *app) schemas() *cobra.Command {
	c := &cobra.Command{
		Use:   "schemas",
		Short: "Look at the schema registry, and at the schemas of the pipes in it",
		Long: `Schemas looks at a schema registry: --registry says where it is.

A run registers the schemas of the pipes that it writes when it starts. To have that
done by a deployment and not by a run, register them beforehand and run with
--` + registryReadOnlyFlag + `.`,
	}
	if a.program.Pipelines == nil {
		c.Long = "Schemas looks at a schema registry: --" + registryFlag + " says where it is. The same command of the program\nthat declares the pipes checks and registers their schemas too."
		c.Example = a.example("{} schemas list --registry http://127.0.0.1:8081")
		c.AddCommand(a.schemasList())
		return a.needsSubcommand(c)
	}
	c.Example = a.example("{} schemas check --registry http://127.0.0.1:8081", "{} schemas register", "{} schemas list")
	c.AddCommand(a.schemasCheck(), a.schemasRegister(), a.schemasList())
	return a.needsSubcommand(c)
}

// withRegistry calls do with the schema registry, which must be named.
func (a *app) withRegistry(f *registryFlags, do func(*schemaRegistry) error) error {
	r, err := a.schemaRegistry(f, quietLog(a.stderr))
	if err != nil {
		return err
	}
	defer r.Close()
	if r.client == nil {
		return wrongUse("no schema registry is named: give --%s, or set %s", registryFlag, variable(registryFlag))
	}
	return do(r)
}

// topicSchema is the schema of a pipe, or of another topic that a stage writes to.
type topicSchema struct {
	topic, subject string
	schema         schemas.Schema
}

// topicSchemas are those of the topics that are named and, where none is, of all that the
// pipelines write.
func (a *app) topicSchemas(wanted []string) ([]topicSchema, error) {
	graphs, err := a.graphs()
	if err != nil {
		return nil, err
	}
	uses := schemaUses(graphs)
	if len(wanted) > 0 {
		names := topicsOf(uses)
		var chosen []pipeline.CodecUse
		for _, name := range wanted {
			u, err := named("pipe with a schema", name, names, uses)
			if err != nil {
				return nil, err
			}
			u.Writes = true
			chosen = append(chosen, u)
		}
		uses = chosen
	}
	var list []topicSchema
	for _, u := range uses {
		if !u.Writes {
			continue
		}
		schema, err := u.Codec.Schema()
		if err != nil { // Build has found it, unless the codec is of two minds
			return nil, wrongUse("topic %s: %w", u.Topic, err)
		}
		list = append(list, topicSchema{u.Topic, u.Codec.Subject(u.Topic), schema})
	}
	return list, nil
}

// schemaUses are the codecs with a schema, each once for each of its topics.
func schemaUses(graphs []*pipeline.Graph) []pipeline.CodecUse {
	var uses []pipeline.CodecUse
	for _, g := range graphs {
		for _, s := range g.Sources {
			uses = append(uses, s.Codecs()...)
		}
		for _, s := range g.Stages {
			uses = append(uses, s.Codecs()...)
		}
		for _, p := range g.Pipes { // one that nobody here reads or writes too
			if c := p.Codec(); c != nil {
				uses = append(uses, pipeline.CodecUse{Codec: c, Topic: p.Topic})
			}
		}
	}
	return joinUses(uses)
}

func topicsOf(uses []pipeline.CodecUse) []string {
	topics := make([]string, len(uses))
	for i, u := range uses {
		topics[i] = u.Topic
	}
	return topics
}

// completeTopics lets the shell complete pipes with a schema.
func (a *app) completeTopics(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	graphs, err := a.graphs()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	given := map[string]bool{}
	for _, arg := range args {
		given[arg] = true
	}
	var topics []cobra.Completion
	for _, topic := range topicsOf(schemaUses(graphs)) {
		if !given[topic] {
			topics = append(topics, topic)
		}
	}
	return topics, cobra.ShellCompDirectiveNoFileComp
}

// onSchemas makes a command that does something with the schemas of pipes.
func (a *app) onSchemas(c *cobra.Command, do func(ctx context.Context, r *schemaRegistry, list []topicSchema, asJSON bool) error) *cobra.Command {
	c.ValidArgsFunction = a.completeTopics
	f := newRegistryFlags(c.Flags())
	asJSON := c.Flags().Bool(jsonFlag, false, "print JSON")
	a.does(c, func(ctx context.Context, args []string) error {
		list, err := a.topicSchemas(args)
		if err != nil {
			return err
		}
		return a.withRegistry(f, func(r *schemaRegistry) error { return do(ctx, r, list, *asJSON) })
	})
	return a.buildsPipelines(c)
}

// noSchemas is what is printed where there is nothing to do.
const noSchemas = "No pipe that the program writes has a schema."
