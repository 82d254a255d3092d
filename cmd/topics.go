package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func (a *app) topics() *cobra.Command {
	c := &cobra.Command{
		Use:   "topics",
		Short: "Look at the topics that the pipelines need, and make them",
		Long: `Topics compares the topics that the pipelines need with those of the cluster:
"topics plan" shows what is to be done, "topics apply" does it. What would move
keys to other partitions, neither does: it is told, and left to you.`,
		Example: a.example("{} topics plan --brokers kafka-1:9092", "{} topics apply --brokers kafka-1:9092"),
	}
	if a.program.Pipelines == nil {
		c.Short = "List the topics of the cluster"
		c.Long = c.Short + ". The program that declares a pipeline plans and makes its topics."
		c.Example = a.example("{} topics ls --brokers kafka-1:9092")
		c.AddCommand(a.topicsLs())
	} else {
		c.AddCommand(a.topicsPlan(), a.topicsApply())
	}
	return a.needsSubcommand(c)
}

// topicsFlags are the flags of topics plan and apply.
type topicsFlags struct {
	connection *connection
	topics     *topicFlags
	json       bool
}

func newTopicsFlags(flags *pflag.FlagSet) *topicsFlags {
	f := &topicsFlags{connection: newConnection(flags), topics: newTopicFlags(flags)}
	flags.BoolVar(&f.json, jsonFlag, false, "print JSON")
	return f
}

func (a *app) topicsPlan() *cobra.Command {
	c := &cobra.Command{
		Use:     "plan",
		Short:   "Show which topics are to be made or changed",
		Long:    "Plan shows each topic that the pipelines need and what is to be done for it. It\nchanges nothing. With --acls it shows the rights that they need instead.",
		Example: a.example("{} topics plan --brokers kafka-1:9092", "{} topics plan --partitions 12 --check"),
		Args:    cobra.NoArgs,
	}
	f := newTopicsFlags(c.Flags())
	check := c.Flags().Bool("check", false, "exit with status 3 when something is to be done")
	acls := newACLFlags(c.Flags())
	a.does(c, func(ctx context.Context, _ []string) error {
		if acls.wanted() {
			return a.printACLs(f, acls)
		}
		changes, err := a.withTopics(ctx, f, nil)
		if err != nil {
			return err
		}
		a.printChanges(f, changes)
		todo := slices.ContainsFunc(changes, func(c router.Change) bool { return c.Action != router.Nothing })
		if *check && todo {
			return topicsMissing("the topics are not as the pipelines need them: %s", a.applyCommand(c.Flags()))
		}
		return nil
	})
	return a.buildsPipelines(c)
}

func (a *app) topicsApply() *cobra.Command {
	c := &cobra.Command{
		Use:     "apply",
		Short:   "Make and change the topics that the plan shows",
		Long:    "Apply does what the plan shows, topic by topic, and prints what it did. What is to\nbe done by hand it leaves alone. It can be run again at any time.",
		Example: a.example("{} topics apply --brokers kafka-1:9092", "{} topics apply --partitions 12 --retention 72h"),
		Args:    cobra.NoArgs,
	}
	f := newTopicsFlags(c.Flags())
	a.does(c, func(ctx context.Context, _ []string) error {
		var done []router.Change
		changes, err := a.withTopics(ctx, f, func(c router.Change) { done = append(done, c) })
		for _, c := range changes {
			if c.Action == router.ByHand && err == nil {
				done = append(done, c)
			}
		}
		if len(done) == 0 && err != nil {
			return err
		}
		if len(done) == 0 && !f.json {
			fmt.Fprintf(a.stdout, "All %d topics are as they should be.\n", len(changes))
			return nil
		}
		a.printChanges(f, done)
		return err
	})
	return a.buildsPipelines(c)
}

// withTopics plans, and where done is given does it and tells of each topic.
func (a *app) withTopics(ctx context.Context, f *topicsFlags, done func(router.Change)) (changes []router.Change, err error) {
	if err := f.topics.check(); err != nil {
		return nil, err
	}
	graphs, err := a.graphs()
	if err != nil {
		return nil, err
	}
	err = a.withCluster(ctx, f.connection, func(_ *cluster, admin *kafka.Admin) error {
		changes, err = router.Plan(ctx, admin, router.Topics(f.topics.options, graphs...))
		if err != nil || done == nil {
			return err
		}
		return router.Apply(ctx, admin, changes, done)
	})
	return changes, err
}

func (a *app) printChanges(f *topicsFlags, changes []router.Change) {
	if f.json {
		a.stdout.document(append([]router.Change{}, changes...)) // [] and not null
		return
	}
	t := &table{head: []string{"TOPIC", "KIND", "PARTITIONS", "REPLICATION", "ACTION", "WHAT"}, cut: 5}
	for _, c := range changes {
		replication := ""
		if c.Action == router.Make {
			replication = strconv.Itoa(c.Replication)
		}
		t.add(c.Name, string(c.Kind), strconv.Itoa(c.Partitions), replication, string(c.Action), changeText(c))
	}
	t.write(a.stdout)
}

// changeText says what is set, and what is there instead.
func changeText(c router.Change) string {
	parts := make([]string, 0, len(c.Set))
	for _, k := range slices.Sorted(maps.Keys(c.Set)) {
		parts = append(parts, k+"="+c.Set[k])
	}
	text := strings.Join(parts, " ")
	if len(c.Notes) > 0 && text != "" {
		text += "; "
	}
	return text + strings.Join(c.Notes, "; ")
}

// applyCommand is the command that makes the topics.
func (a *app) applyCommand(flags *pflag.FlagSet) string {
	return commandLine(a.name, "topics apply", flags, func(name string) bool {
		switch name {
		case partitionsFlag, retentionFlag, maxMessageBytesFlag:
			return true
		}
		return isConnection(name) || a.own.Lookup(name) != nil
	})
}

// isConnection tells whether a flag says how to reach the cluster.
func isConnection(name string) bool {
	return name == brokersFlag || name == dataDirFlag || slices.Contains(tlsNames(), name) || slices.Contains(saslNames(), name)
}
