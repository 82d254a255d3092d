package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func (a *app) poison() *cobra.Command {
	c := &cobra.Command{
		Use:   "poison",
		Short: "Look at the messages that were taken out of the flow",
		Long: `Poison looks at the messages that stages could not do: each with its story, and
with key, value and headers as they came.`,
		Example: a.example("{} poison ls", "{} poison show STAGE 12"),
	}
	c.AddCommand(a.poisonLs(), a.poisonShow())
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

// position is where a message stands in its poison topic. It is written as its
// offset, behind the partition where that is not 0: poison topics are made with
// one.
type position struct {
	partition int32
	offset    int64
}

// String is what parsePosition reads.
func (p position) String() string {
	if p.partition == 0 {
		return strconv.FormatInt(p.offset, 10)
	}
	return fmt.Sprintf("%d:%d", p.partition, p.offset)
}

func parsePosition(text string) (position, error) {
	partition, offset := "0", text
	if before, after, found := strings.Cut(text, ":"); found {
		partition, offset = before, after
	}
	p, errP := strconv.ParseUint(partition, 10, 31)
	o, errO := strconv.ParseUint(offset, 10, 63)
	if errP != nil || errO != nil {
		return position{}, wrongUse("%q is not a position: give the offset, or partition:offset, as \"poison ls\" shows it", text)
	}
	return position{int32(p), int64(o)}, nil
}

// poisonDocument is a poisoned message for scripts. Bytes are in base64.
type poisonDocument struct {
	Stage      string         `json:"stage"`
	Position   string         `json:"position"`
	Time       time.Time      `json:"time"`
	Attempts   int            `json:"attempts"`
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
func document(at position, p *router.Poisoned) poisonDocument {
	return poisonDocument{
		Stage: p.Stage, Position: at.String(), Time: p.At, Attempts: p.Attempts, Reason: p.LastError, FirstError: p.FirstError,
		Origin: originDocument{p.Topic, p.Partition, p.Offset, p.RecordTime},
		Key:    slices.Clone(p.Key), ValueBytes: len(p.Value),
	}
}

// readPoison calls f with each poisoned message of a topic, and tells how many
// records were none.
func readPoison(ctx context.Context, cfg kafka.Config, topic string, f func(position, *router.Poisoned) error) (others int, err error) {
	err = kafka.ReadTopic(ctx, cfg, topic, func(r *kafka.Record) error {
		p, err := router.ReadPoisoned(r)
		if errors.Is(err, router.ErrNotPoison) {
			others++
			return nil
		}
		if err != nil {
			return err
		}
		return f(position{r.Partition, r.Offset}, &p)
	})
	return others, err
}
