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
	group      string
	messages   bool
	all        bool
	limit      int
	json       bool
}

const (
	limitFlag = "limit"
	groupFlag = "group"
	allFlag   = "all"
)

// maxLimit bounds what poison ls holds in memory.
const maxLimit = 1000

func (a *app) poisonLs() *cobra.Command {
	c := &cobra.Command{
		Use:   "ls",
		Short: "Count poisoned messages by what went wrong, or list them",
		Long: `Ls counts the messages that are open, by stage and by the last error without what
differs from message to message: numbers, ids, quoted text. The id of a group is
for "poison replay" and "poison drop", the example's position for "poison show".

With --messages or --group it lists them: when, where each was read, how often it
was tried, and the last error. It lists the newest of each stage, up to --limit; as
JSON all of them, one a line, unless --limit is given.

A message is open or, where its key waits for it, held, until it is replayed or
dropped. Those are left out, but with --all.`,
		Example: a.example("{} poison ls", "{} poison ls --messages", "{} poison ls --group 1a2b3c4d", "{} poison ls --stage STAGE --messages --all --json"),
		Args:    cobra.NoArgs,
	}
	f := &poisonLsFlags{connection: newConnection(c.Flags())}
	c.Flags().StringVar(&f.stage, stageFlag, "", "only those of this `stage`")
	c.Flags().StringVar(&f.group, groupFlag, "", "list the messages of the group of this `id`")
	c.Flags().BoolVar(&f.messages, "messages", false, "list messages, and do not count them")
	c.Flags().BoolVar(&f.all, allFlag, false, "those that were replayed or dropped, too")
	c.Flags().IntVar(&f.limit, limitFlag, 100, "list the newest `n` of each stage")
	c.Flags().BoolVar(&f.json, jsonFlag, false, "print JSON, a group or a message a line")
	a.completeFlag(c, stageFlag, stageNames)
	a.does(c, func(ctx context.Context, _ []string) error {
		if f.limit < 1 || f.limit > maxLimit {
			return wrongUse("%s is %d: it must be between 1 and %d", given(c.Flags(), limitFlag), f.limit, maxLimit)
		}
		if !f.messages && f.group == "" {
			return a.listGroups(ctx, f)
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
			err := a.openPoison(ctx, cl, t, "", func(log *router.PoisonLog) error {
				others, err := log.Messages(ctx, router.PoisonSelection{Group: f.group, All: f.all}, func(m *router.PoisonMessage) error {
					show.add(document(m))
					return nil
				})
				a.tellOthers(others, t)
				return err
			})
			if err != nil {
				return err
			}
			show.endStage()
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
	if stream {
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
		fmt.Fprintln(n.app.stdout, nothingPoisoned)
	default:
		t := &table{head: []string{"STAGE", "POSITION", "STATE", "TIME", "READ FROM", "ATTEMPTS", "REASON"}, cut: 6, spare: []int{4, 5, 3}}
		for _, d := range n.shown {
			t.add(d.Stage, d.Position, d.State, d.Time.Local().Format(time.DateTime), d.Origin.String(), number(int64(d.Attempts)), d.Reason)
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
