// Package chaos runs a pipeline in processes of its own on a Kafka, and lets go
// wrong what can go wrong while it is under load: workers are killed, come, go and
// are restarted. Then the checker tests what is left in the topics.
//
// Package worker is the only part that uses Penstock. The load and the checker use
// another Kafka client, so that no mistake can hide itself.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
	"github.com/penstock/penstock/internal/chaos/load"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// Run does one run. An error says that it could not be done; whether guarantees
// held is in the result.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure the chaos run: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the workers too, if they are still there
	c := newCrew(cfg)
	faults := plan(cfg, len(c.stages))
	c.logf("mode %s, seed %d: %d faults, %d messages at %d a second", cfg.Mode, cfg.Seed, len(faults), cfg.Messages, cfg.Rate)
	if err := c.makeTopics(ctx); err != nil {
		return nil, err
	}
	journalPath := filepath.Join(cfg.Dir, "journal")
	kills, err := c.underLoad(ctx, journalPath, faults)
	if err != nil {
		return nil, errors.Join(err, c.closeAll())
	}
	c.logf("all is through")
	if err := c.closeAll(); err != nil {
		return nil, err
	}
	report, err := checker.CheckPipeline(ctx, cfg.Brokers, cfg.Pipeline, journalPath)
	if err != nil {
		return nil, err
	}
	result := &Result{Mode: cfg.Mode, Report: report, Kills: len(kills)}
	err = result.measure(ctx, cfg, kills)
	return result, err
}

// underLoad starts the workers and the load, makes the faults happen, and returns
// when all messages are through.
func (c *crew) underLoad(ctx context.Context, journalPath string, faults []fault) (kills []kill, err error) {
	if err := c.startAll(ctx); err != nil {
		return nil, err
	}
	written, err := journal.Create(journalPath)
	if err != nil {
		return nil, err
	}
	generator, err := load.New(load.Config{
		Brokers: c.cfg.Brokers, Pipeline: c.cfg.Pipeline, Seed: c.cfg.Seed,
		Keys: c.cfg.Keys, Rate: c.cfg.Rate, Journal: written,
	})
	if err != nil {
		return nil, errors.Join(err, written.Close())
	}
	loading, stop := context.WithCancel(ctx)
	defer stop()
	loaded := make(chan error, 1)
	go func() { loaded <- generator.Run(loading) }()

	kills, err = c.inflict(ctx, faults)
	for err == nil && written.Len() < c.cfg.Messages {
		err = pause(ctx, 10*time.Millisecond)
	}
	stop()
	if err := errors.Join(err, <-loaded, written.Close()); err != nil {
		return kills, err
	}
	if err := generator.Refused(); err != nil {
		c.logf("%v", err)
	}
	c.logf("%d messages are acknowledged", written.Len())
	return kills, c.awaitThrough(ctx)
}

// throughPatience is how long the stages may take for what is left when the load
// has ended.
const throughPatience = 3 * time.Minute

// awaitThrough waits until each stage has committed all of its input.
func (c *crew) awaitThrough(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, throughPatience, fmt.Errorf("the stages are not through after %v", throughPatience))
	defer cancel()
	reader, err := topics.New(c.cfg.Brokers)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, s := range c.stages {
		group, topic := flow.Group(c.cfg.Pipeline, s.Name), flow.Topic(c.cfg.Pipeline, s.Input)
		for {
			lag, err := reader.Lag(ctx, group, topic, flow.Partitions)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if err == nil && lag == 0 {
				break
			}
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return fmt.Errorf("wait for stage %s, which lags by %d: %w", s.Name, lag, err)
			}
		}
	}
	return nil
}
