package cmd

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// lagFlags are the flags of lag.
type lagFlags struct {
	connection *connection
	stages     []string
	partitions bool
	follow     bool
	every      time.Duration
	json       bool
}

const (
	eachPartitionFlag = "each-partition"
	everyFlag         = "every"
	leastEvery        = 100 * time.Millisecond
)

// lagDocument is what a stage has to do of a pipe, or of one partition of it, for
// scripts.
type lagDocument struct {
	Stage     string     `json:"stage"`
	Topic     string     `json:"topic"`
	Partition *int32     `json:"partition,omitempty"`
	Committed *int64     `json:"committed,omitempty"`
	End       *int64     `json:"end,omitempty"`
	Behind    int64      `json:"behind"`
	Runnable  int64      `json:"runnable"`
	Parked    int64      `json:"parked"`
	Held      int64      `json:"held"`
	Oldest    *time.Time `json:"oldestParked,omitempty"`
}

func (a *app) lag() *cobra.Command {
	c := &cobra.Command{
		Use:   "lag",
		Short: "Show what the stages have still to do",
		Long: `Lag shows how far the stages are behind, whichever processes run them: a line for
each stage and pipe, or with --each-partition for each partition.

BEHIND counts offsets. RUNNABLE counts messages, where a partition is at most ` + strconv.Itoa(router.CountWithin) + `
offsets behind: the markers of transactions are none. PARKED are the messages that
wait in the retry log until they are tried again, HELD those of them that wait for
"poison replay" or "poison drop".

With --` + followFlag + ` it looks again and again, until it is interrupted.`,
		Example: a.example("{} lag", "{} lag --follow", "{} lag --stage STAGE --each-partition", "{} lag --json"),
		Args:    cobra.NoArgs,
	}
	f := &lagFlags{connection: newConnection(c.Flags())}
	c.Flags().StringSliceVar(&f.stages, stageFlag, nil, "only these `stages`, several with commas")
	c.Flags().BoolVar(&f.partitions, eachPartitionFlag, false, "a line for each partition")
	c.Flags().BoolVar(&f.follow, followFlag, false, "look again and again")
	c.Flags().DurationVar(&f.every, everyFlag, 2*time.Second, "how often to look, with --"+followFlag)
	c.Flags().BoolVar(&f.json, jsonFlag, false, "print JSON: a list, or with --"+followFlag+" a list a line")
	a.completeFlag(c, stageFlag, stageNames)
	a.does(c, func(ctx context.Context, _ []string) error {
		if f.every < leastEvery {
			return wrongUse("%s is %v: it must be at least %v", given(c.Flags(), everyFlag), f.every, leastEvery)
		}
		return a.showLag(ctx, f)
	})
	return a.buildsPipelines(c)
}

func (a *app) showLag(ctx context.Context, f *lagFlags) error {
	stages, err := a.stagesNamed(f.stages)
	if err != nil {
		return err
	}
	return a.withCluster(ctx, f.connection, func(cl *cluster, admin *kafka.Admin) error {
		if err := a.pipesExist(ctx, f, admin, stages); err != nil {
			return err
		}
		reader, err := kafka.NewReader(ctx, cl.kafka)
		if err != nil {
			return err
		}
		defer func() { _ = reader.Close() }()
		backlogs := router.NewBacklogs(admin, reader, stages...)
		if !f.follow {
			return a.printLag(ctx, f, backlogs)
		}
		return a.followLag(ctx, f, backlogs)
	})
}

// stagesNamed finds stages by their names, or all.
func (a *app) stagesNamed(wanted []string) ([]*pipeline.StageNode, error) {
	graphs, err := a.graphs()
	if err != nil {
		return nil, err
	}
	var all, chosen []*pipeline.StageNode
	var names []string
	for _, g := range graphs {
		for _, s := range g.Stages {
			all, names = append(all, s), append(names, s.Group)
		}
	}
	if len(wanted) == 0 {
		return all, nil
	}
	for _, name := range wanted {
		s, err := named("stage", name, names, all)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

// pipesExist says which command makes what there is not.
func (a *app) pipesExist(ctx context.Context, f *lagFlags, admin *kafka.Admin, stages []*pipeline.StageNode) error {
	var topics []string
	for _, s := range stages {
		for _, p := range s.Inputs {
			topics = append(topics, p.Topic)
		}
		topics = append(topics, s.RetryTopics...)
	}
	found, err := admin.Topics(ctx, topics...)
	if err != nil {
		return err
	}
	for _, t := range topics {
		if _, exists := found[t]; !exists {
			return topicsMissing("topic %s does not exist; make it with: %s", t, a.applyCommand(f.connection.flags))
		}
	}
	return nil
}

// clearScreen moves the cursor home and clears what is below it.
const clearScreen = "\x1b[H\x1b[2J"

// followLag prints again and again; a terminal shows the latest.
func (a *app) followLag(ctx context.Context, f *lagFlags, b *router.Backlogs) error {
	_, isTerminal := terminalWidth(a.stdout.to)
	return a.follow(ctx, f.every, func(ctx context.Context) error {
		if isTerminal && !f.json {
			_, _ = a.stdout.Write([]byte(clearScreen)) // a failed write is noted
		}
		return a.printLag(ctx, f, b)
	})
}

func (a *app) printLag(ctx context.Context, f *lagFlags, b *router.Backlogs) error {
	backlogs, err := b.Read(ctx)
	if err != nil {
		return err
	}
	documents := lagDocuments(backlogs, f.partitions)
	switch {
	case f.json && f.follow:
		a.stdout.line(documents)
	case f.json:
		a.stdout.document(documents)
	default:
		lagTable(documents, f.partitions, time.Now()).write(a.stdout)
	}
	return nil
}

// lagDocuments are the backlogs of partitions as they are, or in sum of each pipe.
func lagDocuments(backlogs []router.Backlog, partitions bool) []lagDocument {
	documents := []lagDocument{}
	for i := range backlogs {
		l := &backlogs[i]
		d := lagDocument{Stage: l.Stage, Topic: l.Topic}
		if partitions {
			d.Partition, d.End = &l.Partition, &l.End
			if l.Committed >= 0 {
				d.Committed = &l.Committed
			}
		}
		last := len(documents) - 1
		if partitions || last < 0 || documents[last].Stage != l.Stage || documents[last].Topic != l.Topic {
			documents = append(documents, d)
			last++
		}
		documents[last].add(l)
	}
	return documents
}

func (d *lagDocument) add(l *router.Backlog) {
	d.Behind += l.Behind
	d.Runnable += l.Runnable
	d.Parked += l.Parked
	d.Held += l.Held
	if !l.Oldest.IsZero() && (d.Oldest == nil || l.Oldest.Before(*d.Oldest)) {
		d.Oldest = &l.Oldest
	}
}

func lagTable(documents []lagDocument, partitions bool, now time.Time) *table {
	t := &table{head: []string{"STAGE", "PIPE", "BEHIND", "RUNNABLE", "PARKED", "HELD", "OLDEST"}, cut: 1, spare: []int{6, 5}}
	if partitions {
		t.head[1] = "PARTITION"
	}
	for i := range documents {
		d := &documents[i]
		of, oldest := d.Topic, ""
		if d.Partition != nil {
			of += fmt.Sprintf("/%d", *d.Partition)
		}
		if d.Oldest != nil {
			oldest = age(now.Sub(*d.Oldest))
		}
		t.add(d.Stage, of, number(d.Behind), number(d.Runnable), number(d.Parked), number(d.Held), oldest)
	}
	return t
}

// age is a duration as precisely as a person wants it.
func age(d time.Duration) string {
	if d >= time.Hour {
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	}
	return max(d, 0).Truncate(time.Second).String()
}
