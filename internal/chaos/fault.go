package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// fault is one thing that happens to the workers.
type fault struct {
	kind  faultKind
	after time.Duration // since the fault before
	stage int
	slot  int
	down  time.Duration // until the worker that went is started, or the one that came goes

	// Of a kill: above 0 it hits a worker so long after its start, which is likely to
	// be while it takes over its share.
	young time.Duration
}

type faultKind string

const (
	killWorker  faultKind = "kill"
	closeWorker faultKind = "close"
	joinWorker  faultKind = "join"
	rollStage   faultKind = "rolling restart"
)

// longestDown bounds the time that a worker is away.
const longestDown = 3 * time.Second

// In mode parking one kill in so many hits a worker that is as young as this at most.
const (
	youngEach = 4
	youngest  = 2500 * time.Millisecond
)

// plan draws the faults of a run, spread over the time that its messages take.
func plan(cfg Config, stages int) []fault {
	random := rand.New(rand.NewPCG(cfg.Seed, 2)) //nolint:gosec // a seed makes it the same again
	var faults []fault
	for _, of := range []struct {
		kind faultKind
		n    int
	}{{killWorker, cfg.Faults.Kills}, {closeWorker, cfg.Faults.Closes}, {joinWorker, cfg.Faults.Joins}, {rollStage, cfg.Faults.Rollings}} {
		for range of.n {
			faults = append(faults, fault{kind: of.kind})
		}
	}
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	mean := time.Duration(cfg.Messages) * time.Second / time.Duration(cfg.Rate) / time.Duration(max(len(faults), 1))
	// A worker that is away takes from the time to the next fault.
	mean = max(mean-longestDown/2, time.Second)
	for i := range faults {
		f := &faults[i]
		f.after = time.Duration(random.Int64N(int64(2 * mean)))
		f.stage, f.slot = random.IntN(stages), random.IntN(cfg.Processes)
		f.down = time.Duration(random.Int64N(int64(longestDown)))
		if cfg.Mode == Parking && f.kind == killWorker && random.IntN(youngEach) == 0 {
			f.young = time.Duration(random.Int64N(int64(youngest))) + 1
		}
	}
	return faults
}

// kill is a worker's end by SIGKILL.
type kill struct {
	at       time.Time
	stage    int
	inFlight int64 // messages in its filters
}

// inflict makes the faults happen, one after the other, and returns the kills.
func (c *crew) inflict(ctx context.Context, faults []fault) (kills []kill, err error) {
	for i, f := range faults {
		if err := pause(ctx, f.after); err != nil {
			return kills, err
		}
		c.logf("fault %d of %d: %s, stage %s, slot %d", i+1, len(faults), f.kind, c.stages[f.stage].Name, f.slot)
		if f.kind == killWorker {
			var k kill
			if k, err = c.kill(ctx, f); err == nil {
				kills = append(kills, k)
				c.logf("killed with %d messages in its filters", k.inFlight)
			}
		} else {
			err = c.trouble(ctx, f)
		}
		if err == nil && c.cfg.Mode == Parking {
			err = c.comeLate(ctx)
		}
		if err != nil {
			return kills, fmt.Errorf("fault %d of %d, %s: %w", i+1, len(faults), f.kind, err)
		}
	}
	return kills, nil
}

func (c *crew) kill(ctx context.Context, f fault) (kill, error) {
	if f.young > 0 {
		if err := c.renew(ctx, f); err != nil {
			return kill{}, err
		}
	} else if err := c.slots[f.stage][f.slot].awaitReady(); err != nil {
		return kill{}, err
	}
	inFlight, err := c.slots[f.stage][f.slot].kill(f.young == 0)
	if err != nil {
		return kill{}, err
	}
	k := kill{at: time.Now(), stage: f.stage, inFlight: inFlight}
	if err := pause(ctx, f.down); err != nil {
		return k, err
	}
	return k, c.start(ctx, f.stage, f.slot)
}

// renew closes the worker of a slot, starts one in its place, and returns when that is
// as old as the fault says.
func (c *crew) renew(ctx context.Context, f fault) error {
	if err := c.restart(ctx, f.stage, f.slot, 0); err != nil {
		return err
	}
	if err := c.slots[f.stage][f.slot].awaitHeed(); err != nil {
		return err
	}
	c.logf("the worker is new, and has %v", f.young.Round(time.Millisecond))
	return pause(ctx, f.young)
}

// trouble makes a fault happen that is no kill.
func (c *crew) trouble(ctx context.Context, f fault) error {
	switch f.kind {
	case closeWorker:
		return c.restart(ctx, f.stage, f.slot, f.down)
	case joinWorker:
		return c.visit(ctx, f.stage, f.down)
	case rollStage:
		for slot := range c.slots[f.stage] {
			if err := c.restart(ctx, f.stage, slot, 0); err != nil {
				return err
			}
			if err := c.slots[f.stage][slot].awaitReady(); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("there is no fault %q", f.kind)
	}
}

// restart closes the worker of a slot and starts one in its place after a while.
func (c *crew) restart(ctx context.Context, stage, slot int, down time.Duration) error {
	if err := c.slots[stage][slot].close(); err != nil {
		return err
	}
	if err := pause(ctx, down); err != nil {
		return err
	}
	return c.start(ctx, stage, slot)
}

// visit lets one more worker of the stage join, and leave after a while.
func (c *crew) visit(ctx context.Context, stage int, stay time.Duration) error {
	p, err := c.spawn(ctx, stage, c.cfg.Processes)
	if err != nil {
		return err
	}
	if err := p.awaitReady(); err != nil {
		return err
	}
	if err := pause(ctx, stay); err != nil {
		return err
	}
	return p.close()
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
