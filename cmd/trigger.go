package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// triggerFlags are the flags of trigger.
type triggerFlags struct {
	flags           *pflag.FlagSet
	connection      *connection
	registry        *registryFlags
	value, file     string
	key, id         string
	headers         []string
	replyTo         string
	maxMessageBytes int
	json            bool
}

const (
	fileFlag    = "file"
	keyFlag     = "key"
	idFlag      = "id"
	headerFlag  = "header"
	replyToFlag = "reply-to"
)

// What the help of trigger says of values: where a pipeline is compiled in, and
// where none is.
const (
	typedValues = `Values are JSON, which the pipe's own codec encodes; for a pipe of bytes they are
taken as they are. The pipe's key applies unless --key is given.`
	rawValues = `Values are taken as they are. The same command of the program that declares the
pipe reads JSON, and knows the pipe's codec and key.`
)

func (a *app) trigger() *cobra.Command {
	into, values := "PIPE", typedValues
	if a.program.Pipelines == nil {
		into, values = "TOPIC", rawValues
	}
	c := &cobra.Command{
		Use:   "trigger " + into,
		Short: "Put triggers into a " + strings.ToLower(into),
		Long: `Trigger puts triggers into a ` + strings.ToLower(into) + `: one from --value or --file, or one from each
line of standard input.

` + values + `

Each trigger gets an id, which names its job: one of its own, or --id. To the
triggers of standard input --id gives ids of its own too: it and the number of the
line, as in ID-17. So input that is given again makes the same jobs.

Lines are stored in their order, many at a time. At the first line that is wrong it
stops, names the line and says how many were stored: all before it, and none after.`,
		Example: a.example(
			`{} trigger `+into+` --value '{"name": "first"}'`,
			`{} trigger `+into+` --file order.json --id order-17 --header tenant=blue`,
			`{} trigger `+into+` --id import-4 < orders.jsonl`),
		Args: cobra.ExactArgs(1),
	}
	c.ValidArgsFunction = a.completeNames(pipeNames)
	f := a.newTriggerFlags(c.Flags())
	a.does(c, func(ctx context.Context, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		return a.putTriggers(ctx, f, args[0])
	})
	return a.buildsPipelines(c)
}

func (a *app) newTriggerFlags(flags *pflag.FlagSet) *triggerFlags {
	f := &triggerFlags{flags: flags, connection: newConnection(flags), registry: a.pipeCodecFlags(flags)}
	flags.StringVar(&f.value, valueFlag, "", "the `value` of one trigger")
	flags.StringVar(&f.file, fileFlag, "", "`file` that holds the value of one trigger; - is the whole of standard input")
	flags.StringVar(&f.key, keyFlag, "", "`key` in place of what the pipe makes of the value")
	flags.StringVar(&f.id, idFlag, "", "`id` of the trigger; of those of standard input what stands before the line's number")
	flags.StringArrayVar(&f.headers, headerFlag, nil, "`name=value` of a header that travels with the trigger; may be given several times")
	flags.StringVar(&f.replyTo, replyToFlag, "", "`topic` for the result of the job")
	addMaxMessageBytes(flags, &f.maxMessageBytes)
	flags.BoolVar(&f.json, jsonFlag, false, "print the id and place of each trigger as JSON, one a line")
	return f
}

func (f *triggerFlags) check() error {
	if f.flags.Changed(valueFlag) && f.flags.Changed(fileFlag) {
		return wrongUse("%s and %s both give the value: leave one of them out", given(f.flags, valueFlag), given(f.flags, fileFlag))
	}
	if f.flags.Changed(idFlag) && f.id == "" {
		return wrongUse("%s is empty: leave it out, and each trigger gets an id", given(f.flags, idFlag))
	}
	return checkMaxMessageBytes(f.flags, f.maxMessageBytes)
}

// header reads the headers of all triggers.
func (f *triggerFlags) header() ([]schemas.Header, error) {
	var headers []schemas.Header
	for _, text := range f.headers {
		name, value, found := strings.Cut(text, "=")
		switch {
		case !found || name == "":
			return nil, wrongUse("%s: %q is not name=value", given(f.flags, headerFlag), text)
		case schemas.IsReserved(name):
			return nil, wrongUse("%s: the envelope writes the header %s itself: use another name, or --%s, --%s and --%s for what they set", given(f.flags, headerFlag), name, idFlag, keyFlag, replyToFlag)
		}
		headers = append(headers, schemas.Header{Name: name, Value: []byte(value)})
	}
	return headers, nil
}

// target finds where the triggers go.
func (a *app) target(name string) (*pipeline.PipeNode, string, error) {
	if a.program.Pipelines == nil {
		return nil, name, nil
	}
	graphs, err := a.graphs()
	if err != nil {
		return nil, "", err
	}
	var nodes []*pipeline.PipeNode
	var names []string
	for _, g := range graphs {
		for _, p := range g.Pipes {
			nodes, names = append(nodes, p), append(names, p.Topic)
		}
	}
	p, err := named("pipe", name, names, nodes)
	if err != nil {
		return nil, "", err
	}
	return p, p.Topic, nil
}

func (a *app) putTriggers(ctx context.Context, f *triggerFlags, name string) error {
	headers, err := f.header()
	if err != nil {
		return err
	}
	pipe, topic, err := a.target(name)
	if err != nil {
		return err
	}
	m := &triggerMaker{flags: f, pipe: pipe, topic: topic, headers: headers}
	if err := m.checkEnvelope(); err != nil {
		return err
	}
	registered, err := a.schemaRegistry(f.registry, quietLog(a.stderr))
	if err != nil {
		return err
	}
	defer registered.Close()
	return a.withCluster(ctx, f.connection, func(cl *cluster, admin *kafka.Admin) error {
		found, err := admin.Topics(ctx, topic)
		if err != nil {
			return err
		}
		if _, exists := found[topic]; !exists {
			return a.noTopic(f.flags, topic)
		}
		if err := registered.openPipe(ctx, pipe, true); err != nil {
			return err
		}
		return a.send(ctx, cl, m)
	})
}

func (a *app) noTopic(flags *pflag.FlagSet, topic string) error {
	if a.program.Pipelines == nil {
		return topicsMissing("topic %s does not exist: the program that declares the pipe makes it with its command \"topics apply\"", topic)
	}
	return topicsMissing("topic %s does not exist; make it with: %s", topic, a.applyCommand(flags))
}

// subject is what an error of a trigger is about.
func subject(line int) string {
	if line == 0 {
		return "the trigger"
	}
	return fmt.Sprintf("line %d", line)
}
