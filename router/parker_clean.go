package router

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
)

// cleaning is a clean-up of the log that is under way. A long log makes the next
// takeover long: so where little of it is live that is copied forward, and the
// rest is removed. In this order: SCAN is written, and read; what is live below it
// is written again, a stretch at a time, while the rest goes on; where to begin is
// committed; the records below SCAN are deleted. A claim that ends in between
// leaves a log that says the same, from where it began before.
type cleaning struct {
	scan    int64 // the offset of SCAN; -1: it is not read yet
	copying int   // copies under way
	stored  bool  // nothing lies below SCAN any more, and its place is being committed
}

// cleanLater is when a clean-up that an operator's record has spoiled is begun
// again.
const cleanLater = time.Minute

// copyLength is how many messages are copied at a time.
const copyLength = 64

// clean begins a clean-up where it pays, and goes on with one that is under way.
func (p *parker) clean(ctx context.Context) error {
	c := p.cleaning
	switch {
	case c == nil && p.index.WorthCleaning(p.read) && !time.Now().Before(p.cleanAfter):
		return p.scan()
	case c == nil, c.scan < 0, c.copying > 0, c.stored:
		return nil
	case p.index.Spoiled(): // operators are at work
		p.index.AbandonCleanUp()
		p.cleaning, p.cleanAfter = nil, time.Now().Add(cleanLater)
		return nil
	case p.index.BelowScan() > 0:
		return p.copy(ctx)
	}
	return p.cut(ctx)
}

// scan writes SCAN.
func (p *parker) scan() error {
	c := &cleaning{scan: -1}
	p.cleaning = c
	return p.write(func(offset int64) error {
		c.scan = offset
		return p.index.BeginCleanUp(c.scan)
	}, nil, &parking.Scan{Epoch: p.epoch})
}

// copy writes some of what is live again. What runs is left out: its end is about
// to be written, and a copy behind that would raise it from the dead.
func (p *parker) copy(ctx context.Context) error {
	c := p.cleaning
	items := p.index.NextCopies(copyLength)
	if len(items) == 0 {
		return nil // all of it runs
	}
	c.copying = len(items)
	go func() { // beside the parker: others need not wait for this
		events, err := p.copies(ctx, items)
		p.mail.put(func() error {
			if err != nil {
				return err
			}
			return p.write(func(int64) error {
				c.copying = 0
				return nil
			}, nil, events...)
		})
	}()
	return nil
}

// copies are the PARKs of items. Those that are not in memory are fetched.
func (p *parker) copies(ctx context.Context, items []parking.Item) ([]parking.Event, error) {
	events := make([]parking.Event, len(items))
	for i := range items {
		payload, err := p.payload(ctx, &items[i])
		if err != nil {
			return nil, err
		}
		events[i] = items[i].Again(p.epoch, payload)
	}
	return events, nil
}

// cut has the log begin at SCAN: first for who takes over by what is committed,
// then for all.
func (p *parker) cut(ctx context.Context) error {
	c := p.cleaning
	c.stored = true
	if err := p.index.EndCleanUp(); err != nil {
		return fmt.Errorf("clean up the retry log %s/%d: %w", p.topic, p.claim.Partition(), err)
	}
	if err := p.meta.change(func(at *position) { at.Scan = c.scan }); err != nil {
		return fmt.Errorf("clean up the retry log %s/%d: %w", p.topic, p.claim.Partition(), err)
	}
	p.claim.OnCommitted(func() { go p.remove(ctx, c) }) // not in the goroutine that commits
	return nil
}

// remove deletes what lies below SCAN. Where that fails the log is longer than it
// need be, until the next clean-up.
func (p *parker) remove(ctx context.Context, c *cleaning) {
	err := p.claim.DeleteRecords(ctx, p.topic, p.claim.Partition(), c.scan)
	if err != nil && ctx.Err() == nil {
		p.log.Warn("the retry log was not cut; it will be with the next clean-up", "before", c.scan, "error", err)
	}
	p.mail.put(func() error {
		p.cleaning = nil
		if err == nil {
			p.log.Debug("cut the retry log", "before", c.scan)
		}
		return nil
	})
}
