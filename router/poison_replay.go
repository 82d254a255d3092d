package router

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
)

// PoisonReplayOptions is how to replay.
type PoisonReplayOptions struct {
	// Rate is how many messages to replay a second. Defaults to 0: no limit.
	Rate float64

	// DryRun has everything counted and nothing done. Defaults to false.
	DryRun bool

	// Edit makes the new value of the one message of the selection, which must
	// name a position; nil is a tombstone. Where it returns the value that the
	// message has, that is no edit. Defaults to nil: the message as it is.
	Edit func(m *PoisonMessage) ([]byte, error)

	// Progress is called now and then with what is done so far. Defaults to nil.
	Progress func(PoisonResult)
}

// Replay gives messages to their stage again: to the stage alone, not to others
// that read the same pipe. It returns when the stage's retry log has them; the
// stage tries them as soon as it runs, or in their key's order where one is held.
//
// A message that is not edited keeps its id, so what the stage makes of it has
// the ids that it would have had. An edited one gets an id of its own, see
// [EditedID], and stays in its job. A message whose replay is pending is left
// alone. Each message is replayed at least once: where Replay or its connection
// is broken off, asking again does the rest, and may do some twice.
func (l *PoisonLog) Replay(ctx context.Context, of PoisonSelection, o PoisonReplayOptions) (PoisonResult, error) {
	if o.Edit != nil && of.Position == nil {
		return PoisonResult{}, errors.New("only one message at a time can be edited: name its position")
	}
	if o.Rate < 0 || math.IsNaN(o.Rate) || math.IsInf(o.Rate, 0) {
		return PoisonResult{}, fmt.Errorf("the rate is %v: it must be a number above 0, or 0 for no limit", o.Rate)
	}
	a := &actor{log: l, dryRun: o.DryRun, pace: poisonPace{rate: o.Rate}, tell: o.Progress}
	return a.act(ctx, of, func(m *PoisonMessage) error {
		log, err := a.retryLog(m)
		if err != nil {
			return err
		}
		message, id, err := edit(m, o.Edit)
		if err != nil {
			return err
		}
		now := time.Now()
		a.add(m, log, &parking.Replay{
			Entry: l.entry(m.Position),
			Replayed: parking.Replayed{
				Of: m.of(), SourceTopic: m.Topic, SourcePartition: m.Partition, SourceTime: m.RecordTime,
				Edited: id != "", Attempts: m.Attempts, FirstError: m.FirstError, Replays: m.Replays,
				By: l.cfg.By, At: now,
			},
			Message: message,
		}, PoisonAction{Kind: PoisonReplay, At: now, ID: id})
		return nil
	})
}
