package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxGroups bounds how many reasons of a stage are told apart.
const maxGroups = 1000

// poisonGroup is the messages of a stage that have one reason.
type poisonGroup struct {
	Stage  string `json:"stage"`
	Count  int    `json:"count"`
	Reason string `json:"reason"`
	Newest string `json:"newest"` // the position of the newest of them
}

// poisonGroups counts messages by stage and reason.
type poisonGroups struct {
	app  *app
	json bool

	byReason map[string]*poisonGroup // of the stage that is being read
	groups   []*poisonGroup
}

func (g *poisonGroups) add(d poisonDocument) {
	if g.byReason == nil {
		g.byReason = map[string]*poisonGroup{}
	}
	reason := d.Reason
	if g.byReason[reason] == nil && len(g.byReason) >= maxGroups {
		reason = "(others)"
	}
	if g.byReason[reason] == nil {
		g.byReason[reason] = &poisonGroup{Stage: d.Stage, Reason: reason}
	}
	g.byReason[reason].Count++
	g.byReason[reason].Newest = d.Position
}

func (g *poisonGroups) endStage() {
	from := len(g.groups)
	for _, group := range g.byReason {
		g.groups = append(g.groups, group)
	}
	slices.SortFunc(g.groups[from:], func(x, y *poisonGroup) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Reason, y.Reason))
	})
	g.byReason = nil
}

func (g *poisonGroups) end() {
	if g.json {
		for _, group := range g.groups {
			g.app.stdout.line(group)
		}
		return
	}
	if len(g.groups) == 0 {
		fmt.Fprintln(g.app.stdout, "Nothing is poisoned.")
		return
	}
	t := &table{head: []string{"STAGE", "COUNT", "NEWEST", "REASON"}, cut: 3}
	for _, group := range g.groups {
		t.add(group.Stage, number(int64(group.Count)), group.Newest, group.Reason)
	}
	t.write(g.app.stdout)
}
