package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
)

// poisonLsFlags are the flags of poison ls.
type poisonLsFlags struct {
	connection *connection
	stage      string
	limit      int
	group      bool
	json       bool
}

const limitFlag = "limit"

// maxLimit bounds what poison ls holds in memory.
const maxLimit = 1000

func (a *app) poisonLs() *cobra.Command {
	c := &cobra.Command{
		Use:   "ls",
		Short: "List poisoned messages, or count them by reason",
		Long: `Ls lists the messages that stages have poisoned: when, where each was read, how
often it was tried, and the last error. A stage and a position name a message for
"poison show".

It lists the newest of each stage, up to --limit. As JSON it prints all of them,
one a line, unless --limit is given.`,
		Example: a.example("{} poison ls", "{} poison ls --stage STAGE --group", "{} poison ls --json"),
		Args:    cobra.NoArgs,
	}
	f := &poisonLsFlags{connection: newConnection(c.Flags())}
	c.Flags().StringVar(&f.stage, stageFlag, "", "list those of this `stage` only")
	c.Flags().IntVar(&f.limit, limitFlag, 100, "list the newest `n` of each stage")
	c.Flags().BoolVar(&f.group, "group", false, "count by reason, and list one of each")
	c.Flags().BoolVar(&f.json, jsonFlag, false, "print JSON, a message a line")
	a.completeFlag(c, stageFlag, stageNames)
	a.does(c, func(ctx context.Context, _ []string) error {
		if f.limit < 1 || f.limit > maxLimit {
			return wrongUse("%s is %d: it must be between 1 and %d", given(c.Flags(), limitFlag), f.limit, maxLimit)
		}
		show := a.newPoisonList(f, f.json && !c.Flags().Changed(limitFlag))
		if err := a.listPoison(ctx, f, show); err != nil {
			return err
		}
		show.end()
		return nil
	})
	return a.buildsPipelines(c)
}

func (a *app) listPoison(ctx context.Context, f *poisonLsFlags, show poisonList) error {
	return a.withPoison(ctx, f.connection, f.stage, func(cl *cluster, topics []poisonTopic) error {
		for _, t := range topics {
			others, err := readPoison(ctx, cl.kafka, t.topic, func(at position, p *router.Poisoned) error {
				show.add(document(at, p))
				return nil
			})
			if err != nil {
				return err
			}
			show.endStage()
			if others > 0 {
				fmt.Fprintf(a.stderr, "%s: left out %d records of topic %s, which are not poisoned messages of a form that this version reads\n", a.name, others, t.topic)
			}
		}
		return nil
	})
}

// poisonList shows messages: those of a stage after the other, in the order in
// which they were poisoned.
type poisonList interface {
	add(d poisonDocument)
	endStage()
	end()
}

func (a *app) newPoisonList(f *poisonLsFlags, stream bool) poisonList {
	switch {
	case f.group:
		return &poisonGroups{app: a, json: f.json}
	case stream:
		return &poisonStream{out: a.stdout}
	}
	return &poisonNewest{app: a, limit: f.limit, json: f.json}
}

// poisonStream prints each message as it comes.
type poisonStream struct{ out *output }

func (s *poisonStream) add(d poisonDocument) { s.out.line(d) }
func (s *poisonStream) endStage()            {}
func (s *poisonStream) end()                 {}

// poisonNewest keeps the newest messages of each stage.
type poisonNewest struct {
	app   *app
	limit int
	json  bool

	ring  []poisonDocument // of the stage that is being read; at next is the oldest
	next  int
	shown []poisonDocument
	all   int
}

func (n *poisonNewest) add(d poisonDocument) {
	n.all++
	if !n.json {
		d.Key = nil // not shown, and may be large
	}
	if len(n.ring) < n.limit {
		n.ring = append(n.ring, d)
		return
	}
	n.ring[n.next] = d
	n.next = (n.next + 1) % n.limit
}

func (n *poisonNewest) endStage() {
	n.shown = slices.Concat(n.shown, n.ring[n.next:], n.ring[:n.next])
	n.ring, n.next = nil, 0
}

func (n *poisonNewest) end() {
	switch {
	case n.json:
		for _, d := range n.shown {
			n.app.stdout.line(d)
		}
	case n.all == 0:
		fmt.Fprintln(n.app.stdout, "Nothing is poisoned.")
	default:
		t := &table{head: []string{"STAGE", "POSITION", "TIME", "READ FROM", "ATTEMPTS", "REASON"}, cut: 5, spare: []int{3, 4, 2}}
		for _, d := range n.shown {
			t.add(d.Stage, d.Position, d.Time.Local().Format(time.DateTime), d.Origin.String(), number(int64(d.Attempts)), d.Reason)
		}
		t.write(n.app.stdout)
	}
	if len(n.shown) < n.all {
		fmt.Fprintf(n.app.stderr, "%s: listed the newest %d of each stage, %d of %d in all; --%s lists more\n", n.app.name, n.limit, len(n.shown), n.all, limitFlag)
	}
}

// String is as in orders.placed/3@17.
func (o originDocument) String() string {
	return fmt.Sprintf("%s/%d@%d", o.Topic, o.Partition, o.Offset)
}
