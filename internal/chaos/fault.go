package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/internal/chaos/checker"
)

// happened is what the faults of a run did.
type happened struct {
	kills   []kill
	freezes []checker.Freeze
	phases  Histogram
	loaded  time.Time // the load's end
}

// kill is a worker's end by SIGKILL.
type kill struct {
	at       time.Time
	stage    int
	inFlight int64 // messages in its filters
	idle     bool  // it was at nothing that could be harmed
}

// inflict makes the faults happen, one after the other.
func (c *crew) inflict(ctx context.Context, faults []fault) error {
	for i, f := range faults {
		if err := pause(ctx, f.after); err != nil {
			return err
		}
		c.logf("fault %d of %d: %s %s, stage %s, slot %d", i+1, len(faults), f.kind, f.how, c.stages[f.stage].Name, f.slot)
		err := c.happen(ctx, f)
		if err == nil && (c.cfg.Mode == Parking) {
			err = c.comeLate(ctx)
		}
		if err != nil {
			return fmt.Errorf("fault %d of %d, %s: %w", i+1, len(faults), f.kind, err)
		}
	}
	return c.nodes.await()
}

func (c *crew) happen(ctx context.Context, f fault) error {
	switch f.kind {
	case killWorker:
		return c.kill(ctx, f)
	case closeWorker:
		c.meets(f.kind, c.slots[f.stage][f.slot])
		return c.restart(ctx, f.stage, f.slot, f.down)
	case joinWorker:
		return c.visit(ctx, f.stage, f.down)
	case rollStage:
		return c.roll(ctx, f.stage)
	case freezeWorker:
		return c.freeze(ctx, f)
	case takeBroker:
		return c.takeBroker(ctx, f)
	case cutLink:
		return c.cut(ctx, f)
	default:
		return fmt.Errorf("there is no fault %q", f.kind)
	}
}

// meets takes down what a worker is at when a fault meets it.
func (c *crew) meets(kind faultKind, p *process) {
	at := c.at(p)
	c.happened.phases.add(kind, at)
	c.logf("it meets %s in phase %s (of %v)", p.name, first(at), at)
}

// aimPatience is how long a kill waits for the worker to be in the phase that it aims
// at.
const aimPatience = 5 * time.Second

func (c *crew) kill(ctx context.Context, f fault) error {
	p := c.slots[f.stage][f.slot]
	if f.aim == InRebalance || f.aim == InTakeover { // a new worker is in both
		if err := c.restart(ctx, f.stage, f.slot, 0); err != nil {
			return err
		}
		p = c.slots[f.stage][f.slot]
		if err := p.awaitHeed(); err != nil {
			return err
		}
	} else if err := p.awaitReady(); err != nil {
		return err
	}
	for deadline := time.Now().Add(aimPatience); f.aim != "" && !c.at(p)[f.aim] && time.Now().Before(deadline); {
		if err := pause(ctx, 200*time.Microsecond); err != nil {
			return err
		}
	}
	// What it says to brokers is known no more once it is dead; its pulse is.
	at := c.at(p)
	inFlight, err := p.kill()
	if err != nil {
		return err
	}
	c.happened.phases.add(f.kind, at)
	c.happened.kills = append(c.happened.kills, kill{at: time.Now(), stage: f.stage, inFlight: inFlight, idle: at[Idle] && inFlight == 0})
	c.logf("killed %s in phase %s (of %v), aimed at %q, with %d messages in its filters", p.name, first(at), at, f.aim, inFlight)
	if err := pause(ctx, f.down); err != nil {
		return err
	}
	return c.start(ctx, f.stage, f.slot)
}

// freeze stops a worker, and continues it.
func (c *crew) freeze(ctx context.Context, f fault) error {
	p := c.slots[f.stage][f.slot]
	if err := p.awaitReady(); err != nil {
		return err
	}
	c.meets(f.kind, p)
	frozen := checker.Freeze{Writer: p.name, From: time.Now(), Grace: c.cfg.Session + time.Second}
	if err := p.pause(); err != nil {
		return err
	}
	err := pause(ctx, f.down)
	if err == nil {
		err = p.resume()
	}
	frozen.To = time.Now()
	c.happened.freezes = append(c.happened.freezes, frozen)
	c.logf("%s goes on after %v", p.name, frozen.To.Sub(frozen.From).Round(time.Millisecond))
	return err
}

func (c *crew) takeBroker(ctx context.Context, f fault) error {
	if err := c.nodes.await(); err != nil { // the one before
		return err
	}
	c.meetsAll(f.kind)
	return c.nodes.away(ctx, f.how, f.broker, f.down)
}

func (c *crew) cut(ctx context.Context, f fault) error {
	c.meetsAll(f.kind)
	mend, err := c.network.cut(f.broker, f.how, f.bytes)
	if err != nil {
		return err
	}
	if err := pause(ctx, f.down); err != nil {
		return err
	}
	c.logf("the connections to broker %d are mended after %v", f.broker+1, f.down.Round(time.Millisecond))
	return mend()
}

// meetsAll takes down what the workers are at when a fault meets all of them.
func (c *crew) meetsAll(kind faultKind) {
	for _, slots := range c.slots {
		for _, p := range slots {
			c.meets(kind, p)
		}
	}
}

func (c *crew) roll(ctx context.Context, stage int) error {
	for slot := range c.slots[stage] {
		c.meets(rollStage, c.slots[stage][slot])
		if err := c.restart(ctx, stage, slot, 0); err != nil {
			return err
		}
		if err := c.slots[stage][slot].awaitReady(); err != nil {
			return err
		}
	}
	return nil
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
	c.meets(joinWorker, p)
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
