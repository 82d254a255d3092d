package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func (a *app) poison() *cobra.Command {
	c := &cobra.Command{
		Use:   "poison",
		Short: "Look at the messages that were taken out of the flow, and replay or drop them",
		Long: `Poison looks at the messages that stages could not do: each with its story, and
with key, value and headers as they came. When the cause is mended they are
replayed: given to their stage again, and to it alone. What is not wanted is
dropped. Both are written down in the poison topic, with who did it and when.`,
		Example: a.example("{} poison ls", "{} poison show STAGE 12", "{} poison replay STAGE 12", "{} poison replay STAGE --group 1a2b3c4d", "{} poison drop STAGE 12 --reason \"a test order\""),
	}
	c.AddCommand(a.poisonLs(), a.poisonShow(), a.poisonReplay(), a.poisonDrop())
	return a.needsSubcommand(c)
}

// poisonTopic is where a stage puts what it cannot do.
type poisonTopic struct {
	stage string // "<pipeline>.<stage>"
	topic string
}

const poisonSuffix = ".poison"

// withPoison calls do with the poison topics that there are: those of the
// program's pipelines or, in the operator's binary, all of the cluster. A stage
// may be named, with or without its pipeline.
func (a *app) withPoison(ctx context.Context, c *connection, stage string, do func(*cluster, []poisonTopic) error) error {
	declared, err := a.declaredPoisonTopics(stage) // a mistake there needs no cluster to be told
	if err != nil {
		return err
	}
	return a.withCluster(ctx, c, func(cl *cluster, admin *kafka.Admin) error {
		find := func() ([]poisonTopic, error) { return a.existing(ctx, admin, declared) }
		if a.program.Pipelines == nil {
			find = func() ([]poisonTopic, error) { return poisonTopicsOf(ctx, admin, stage) }
		}
		topics, err := find()
		if err != nil {
			return err
		}
		return do(cl, topics)
	})
}

func (a *app) declaredPoisonTopics(stage string) ([]poisonTopic, error) {
	if a.program.Pipelines == nil {
		return nil, nil
	}
	graphs, err := a.graphs()
	if err != nil {
		return nil, err
	}
	var all []poisonTopic
	for _, g := range graphs {
		for _, s := range g.Stages {
			all = append(all, poisonTopic{s.Group, s.PoisonTopic})
		}
	}
	return ofStage(stage, all)
}

// poisonTopicsOf finds the poison topics of a cluster by their names.
func poisonTopicsOf(ctx context.Context, admin *kafka.Admin, stage string) ([]poisonTopic, error) {
	names, err := admin.TopicNames(ctx)
	if err != nil {
		return nil, err
	}
	var all []poisonTopic
	for _, name := range names {
		if stage, is := strings.CutSuffix(name, poisonSuffix); is {
			all = append(all, poisonTopic{stage, name})
		}
	}
	if len(all) == 0 {
		return nil, topicsMissing("the cluster has no poison topic: no topic's name ends in %s", poisonSuffix)
	}
	return ofStage(stage, all)
}

// ofStage picks the topic of a stage, and all where none is named.
func ofStage(stage string, all []poisonTopic) ([]poisonTopic, error) {
	if stage == "" {
		return all, nil
	}
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.stage
	}
	t, err := named("stage", stage, names, all)
	if err != nil {
		return nil, err
	}
	return []poisonTopic{t}, nil
}

// existing leaves out the topics that do not exist, and tells of them.
func (a *app) existing(ctx context.Context, admin *kafka.Admin, all []poisonTopic) ([]poisonTopic, error) {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.topic
	}
	found, err := admin.Topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	var missing []string
	all = slices.DeleteFunc(all, func(t poisonTopic) bool {
		_, exists := found[t.topic]
		if !exists {
			missing = append(missing, t.topic)
		}
		return !exists
	})
	switch {
	case len(missing) == 0:
	case len(all) == 0:
		return nil, topicsMissing("these topics do not exist: %s; \"topics apply\" makes them, and nothing was poisoned there so far", strings.Join(missing, ", "))
	default:
		fmt.Fprintf(a.stderr, "%s: left out, because they do not exist: %s\n", a.name, strings.Join(missing, ", "))
	}
	return all, nil
}

// openPoison calls do with the poison topic of a stage, open for who acts.
func (a *app) openPoison(ctx context.Context, cl *cluster, t poisonTopic, by string, do func(*router.PoisonLog) error) (err error) {
	log, err := router.OpenPoison(ctx, router.PoisonConfig{Kafka: cl.kafka, Stage: t.stage, By: by, Logger: quietLog(a.stderr)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	err = do(log)
	if errors.Is(err, router.ErrNoRetryLog) {
		return topicsMissing("%w", err)
	}
	return err
}

// onePoison is openPoison for a stage that the user has named.
func (a *app) onePoison(ctx context.Context, c *connection, stage, by string, do func(*router.PoisonLog, poisonTopic) error) error {
	if stage == "" {
		return wrongUse("the stage is empty: name it as \"poison ls\" does")
	}
	return a.withPoison(ctx, c, stage, func(cl *cluster, topics []poisonTopic) error {
		return a.openPoison(ctx, cl, topics[0], by, func(log *router.PoisonLog) error { return do(log, topics[0]) })
	})
}

// noPoisonAt says that no message is where the user says.
func noPoisonAt(at router.PoisonPosition, topic string) error {
	return fmt.Errorf("there is no poisoned message at position %s of topic %s: \"poison ls\" lists those that there are", at, topic)
}

func (a *app) tellOthers(others int, t poisonTopic) {
	if others > 0 {
		fmt.Fprintf(a.stderr, "%s: left out %d records of topic %s, which are not poisoned messages of a form that this version reads\n", a.name, others, t.topic)
	}
}

func parsePosition(text string) (router.PoisonPosition, error) {
	at, err := router.ParsePoisonPosition(text)
	if err != nil {
		return at, wrongUse("%w, as \"poison ls\" shows it", err)
	}
	return at, nil
}

// poisonDocument is a poisoned message for scripts. Bytes are in base64.
type poisonDocument struct {
	Stage      string         `json:"stage"`
	Position   string         `json:"position"`
	State      string         `json:"state"`
	Pending    bool           `json:"pending"`
	Group      string         `json:"group"`
	Time       time.Time      `json:"time"`
	Attempts   int            `json:"attempts"`
	Replays    int            `json:"replays"`
	Reason     string         `json:"reason"`
	FirstError string         `json:"firstError"`
	Origin     originDocument `json:"origin"`
	Key        []byte         `json:"key"` // null: none
	ValueBytes int            `json:"valueBytes"`
}

// originDocument is where the message was read.
type originDocument struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"`
}

// document shares no memory with the record.
func document(p *router.PoisonMessage) poisonDocument {
	return poisonDocument{
		Stage: p.Stage, Position: p.Position.String(), State: string(p.State), Pending: p.Pending, Group: p.Group,
		Time: p.At, Attempts: p.Attempts, Replays: p.Replays, Reason: p.LastError, FirstError: p.FirstError,
		Origin: originDocument{p.Topic, p.Partition, p.Offset, p.RecordTime},
		Key:    slices.Clone(p.Key), ValueBytes: len(p.Value),
	}
}
