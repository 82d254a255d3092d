package router

import (
	"context"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
)

// PoisonDropOptions is how to drop.
type PoisonDropOptions struct {
	// Reason is why, for the record. Defaults to none.
	Reason string

	// DryRun has everything counted and nothing done. Defaults to false.
	DryRun bool

	// Progress is called now and then with what is done so far. Defaults to nil.
	Progress func(PoisonResult)
}

// Drop lets go of messages: they are not open any more, and the key of one that
// is held goes on. Their records stay in the poison topic. A message whose replay
// is pending is left alone.
func (l *PoisonLog) Drop(ctx context.Context, of PoisonSelection, o PoisonDropOptions) (PoisonResult, error) {
	a := &actor{log: l, dryRun: o.DryRun, tell: o.Progress}
	return a.act(ctx, of, func(m *PoisonMessage) error {
		action := PoisonAction{Kind: PoisonDrop, At: time.Now(), Reason: o.Reason}
		if m.State != PoisonHeld {
			a.add(m, "", nil, action)
			return nil
		}
		log, err := a.retryLog(m)
		if err != nil {
			return err
		}
		a.add(m, log, &parking.Drop{Of: m.of(), By: l.cfg.By, At: action.At}, action)
		return nil
	})
}
