package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/router"
)

const nothingPoisoned = "Nothing is poisoned."

// groupDocument is a group of poisoned messages for scripts.
type groupDocument struct {
	Stage     string    `json:"stage"`
	Group     string    `json:"group"` // empty: of the others, beyond what is told apart
	Count     int       `json:"count"`
	Held      int       `json:"held"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Example   string    `json:"example"` // the position of the newest
	Signature string    `json:"signature"`
	Error     string    `json:"error"` // of the example
}

// listGroups counts what is poisoned.
func (a *app) listGroups(ctx context.Context, f *poisonLsFlags) error {
	t := &table{head: []string{"STAGE", "GROUP", "COUNT", "HELD", "FIRST", "LAST", "EXAMPLE", "ERROR"}, cut: 7, spare: []int{4, 3, 5}}
	err := a.withPoison(ctx, f.connection, f.stage, func(cl *cluster, topics []poisonTopic) error {
		for _, topic := range topics {
			err := a.openPoison(ctx, cl, topic, "", func(log *router.PoisonLog) error {
				groups, others, err := log.Groups(ctx, router.PoisonSelection{All: f.all})
				a.tellOthers(others, topic)
				for i := range groups {
					a.showGroup(t, &groups[i], f.json)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err != nil || f.json:
	case len(t.rows) == 0:
		fmt.Fprintln(a.stdout, nothingPoisoned)
	default:
		t.write(a.stdout)
	}
	return err
}

func (a *app) showGroup(t *table, g *router.PoisonGroup, asJSON bool) {
	if asJSON {
		a.stdout.line(groupDocument{
			Stage: g.Stage, Group: g.ID, Count: g.Count, Held: g.Held, First: g.First, Last: g.Last,
			Example: g.Example.String(), Signature: g.Signature, Error: g.Error,
		})
		return
	}
	t.add(g.Stage, g.ID, number(int64(g.Count)), number(int64(g.Held)), g.First.Local().Format(time.DateTime), g.Last.Local().Format(time.DateTime), g.Example.String(), g.Signature)
}
