package router

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// MaxPoisonGroups is how many groups of a stage are told apart. What comes beyond
// is counted in one more, which has no id.
const MaxPoisonGroups = 1000

// PoisonGroup is messages of a stage whose last errors have one signature.
type PoisonGroup struct {
	ID        string
	Stage     string
	Signature string // see [ErrorSignature]

	Count int // all messages of the selection
	Held  int // of these, keys wait for so many

	// First is when the first of them was poisoned, and Last when the last was.
	First, Last time.Time

	// Example is where the newest of them stands, and Error is its last error.
	Example PoisonPosition
	Error   string
}

// Groups counts the messages of a selection by what went wrong, the largest group
// first, and tells how many records of the topic were none that this version
// reads.
func (l *PoisonLog) Groups(ctx context.Context, of PoisonSelection) (groups []PoisonGroup, others int, err error) {
	byID := map[string]*PoisonGroup{}
	others, err = l.Messages(ctx, of, func(m *PoisonMessage) error {
		id, signature := m.Group, ErrorSignature(m.LastError)
		if byID[id] == nil && len(byID) >= MaxPoisonGroups {
			id, signature = "", "(others)"
		}
		g := byID[id]
		if g == nil {
			g = &PoisonGroup{ID: id, Stage: l.cfg.Stage, Signature: signature, First: m.At}
			byID[id] = g
		}
		g.Count++
		if m.State == PoisonHeld {
			g.Held++
		}
		if m.At.Before(g.First) {
			g.First = m.At
		}
		if !m.At.Before(g.Last) {
			g.Last, g.Example, g.Error = m.At, m.Position, strings.Clone(m.LastError)
		}
		return nil
	})
	if err != nil {
		return nil, others, err
	}
	for _, g := range byID {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(x, y PoisonGroup) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Signature, y.Signature))
	})
	return groups, others, nil
}
