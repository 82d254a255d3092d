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
func Run(ctx context.Context, cfg Config) (result *Result, err error) {
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
	logs, err := follow(ctx, cfg, c.stages)
	if err != nil {
		return nil, err
	}
	c.logs = logs
	defer func() { err = errors.Join(err, logs.close()) }()
	journalPath := filepath.Join(cfg.Dir, "journal")
	kills, err := c.underLoad(ctx, journalPath, faults)
	if err != nil {
		return nil, errors.Join(err, c.closeAll())
	}
	c.logf("all is through")
	if err := c.closeAll(); err != nil {
		return nil, err
	}
	if err := c.awaitLogs(ctx); err != nil {
		return nil, err
	}
	report, err := checker.CheckPipeline(ctx, checker.Source{
		Brokers: cfg.Brokers, Pipeline: cfg.Pipeline, Stages: c.stages, Journal: journalPath,
		Log: logs.of, Deadline: cfg.deadline(),
	})
	if err != nil {
		return nil, err
	}
	for _, trace := range report.Traces {
		c.logf("%s", trace)
	}
	result = &Result{Mode: cfg.Mode, Report: report, Kills: len(kills)}
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

// awaitThrough waits until each stage has committed all of its input, and nothing is
// parked but what is to stay. What is parked for longer is left to the checker.
func (c *crew) awaitThrough(ctx context.Context) error {
	patience := c.cfg.Patience + time.Duration(len(c.stages))*c.cfg.SlowWait
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the stages are not through after %v", patience))
	defer cancel()
	parked := 0
	err := c.await(ctx, func(reader *topics.Reader, s flow.Stage) (left int64, err error) {
		lag, err := reader.Lag(ctx, flow.Group(c.cfg.Pipeline, s.Name), flow.Topic(c.cfg.Pipeline, s.Input), flow.Partitions)
		if err != nil {
			return 0, err
		}
		unread, now, err := c.logs.left(ctx, reader, s)
		parked = now
		return max(lag+unread, int64(now)), err
	})
	if err != nil && parked > 0 {
		c.logf("%v", err)
		return nil
	}
	return err
}

// logPatience is how long the last of the retry logs may take to be read.
const logPatience = 30 * time.Second

// awaitLogs waits until the retry logs are read to their ends.
func (c *crew) awaitLogs(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, logPatience, errors.New("the retry logs cannot be read to their ends"))
	defer cancel()
	return c.await(ctx, func(reader *topics.Reader, s flow.Stage) (left int64, err error) {
		unread, _, err := c.logs.left(ctx, reader, s)
		return unread, err
	})
}

// await waits until nothing is left, by each stage in turn.
func (c *crew) await(ctx context.Context, left func(*topics.Reader, flow.Stage) (int64, error)) error {
	reader, err := topics.New(c.cfg.Brokers)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, s := range c.stages {
		for {
			n, err := left(reader, s)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if err == nil && n == 0 {
				break
			}
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return fmt.Errorf("wait for stage %s, which has %d messages left: %w", s.Name, n, err)
			}
		}
	}
	return nil
}
