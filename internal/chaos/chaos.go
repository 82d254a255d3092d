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
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
	"github.com/penstock/penstock/internal/chaos/load"
	"github.com/penstock/penstock/internal/chaos/retrylog"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// What a run leaves in its folder beside logs.
const (
	JournalFile   = "journal"    // what the producers saw acknowledged
	RetryLogsFile = "retry-logs" // all that stood in the retry logs
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
	closeAll, err := c.open(ctx)
	defer func() { err = errors.Join(err, closeAll()) }()
	if err != nil {
		return nil, err
	}
	journalPath := filepath.Join(cfg.Dir, JournalFile)
	if err := c.underLoad(ctx, journalPath, faults); err != nil {
		return nil, errors.Join(err, c.closeAll())
	}
	c.logf("all is through")
	if err := c.closeAll(); err != nil {
		return nil, err
	}
	if err := c.awaitRead(ctx); err != nil {
		return nil, err
	}
	return c.check(ctx, journalPath)
}

// open makes the network and the topics, and begins to read these.
func (c *crew) open(ctx context.Context) (closeAll func() error, err error) {
	var closes []func() error
	closeAll = func() (err error) {
		for _, f := range slices.Backward(closes) {
			err = errors.Join(err, f())
		}
		return err
	}
	if c.network, err = connect(ctx, c.cfg.Links); err != nil {
		return closeAll, err
	}
	closes = append(closes, c.network.close)
	if err := c.makeTopics(ctx); err != nil {
		return closeAll, err
	}
	if c.logs, err = follow(ctx, c.cfg, c.stages); err != nil {
		return closeAll, err
	}
	closes = append(closes, c.logs.close)
	if c.pipes, err = observe(ctx, c.cfg, c.stages); err != nil {
		return closeAll, err
	}
	closes = append(closes, c.pipes.close)
	return closeAll, nil
}

// check tests what the run left behind.
func (c *crew) check(ctx context.Context, journalPath string) (*Result, error) {
	source := checker.Source{
		Brokers: c.cfg.Brokers, Pipeline: c.cfg.Pipeline, Stages: c.stages, Journal: journalPath,
		Log: c.logs.of, Seen: c.pipes.of, Deadline: c.cfg.deadline(),
	}
	if source.Once = c.cfg.Mode == ExactlyOnce; !source.Once {
		source.Freezes = c.happened.freezes
	}
	if err := retrylog.Save(filepath.Join(c.cfg.Dir, RetryLogsFile), c.logs.all()); err != nil {
		return nil, err
	}
	report, err := checker.CheckPipeline(ctx, source)
	if err != nil {
		return nil, err
	}
	for _, trace := range report.Traces {
		c.logf("%s", trace)
	}
	result := &Result{Mode: c.cfg.Mode, Report: report, Kills: len(c.happened.kills), Phases: c.happened.phases, Session: c.cfg.Session}
	result.measure(c)
	return result, nil
}

// underLoad starts the workers and the load, makes the faults happen, and returns
// when all messages are through.
func (c *crew) underLoad(ctx context.Context, journalPath string, faults []fault) error {
	if err := c.startAll(ctx); err != nil {
		return err
	}
	written, err := journal.Create(journalPath)
	if err != nil {
		return err
	}
	generator, err := load.New(load.Config{
		Brokers: c.cfg.Brokers, Pipeline: c.cfg.Pipeline, Seed: c.cfg.Seed,
		Keys: c.cfg.Keys, Rate: c.cfg.Rate, Journal: written,
	})
	if err != nil {
		return errors.Join(err, written.Close())
	}
	loading, stop := context.WithCancel(ctx)
	defer stop()
	loaded := make(chan error, 1)
	go func() { loaded <- generator.Run(loading) }()

	err = c.inflict(ctx, faults)
	for err == nil && written.Len() < c.cfg.Messages {
		err = pause(ctx, 10*time.Millisecond)
	}
	stop()
	c.happened.loaded = time.Now()
	if err := errors.Join(err, <-loaded, written.Close()); err != nil {
		return err
	}
	if err := generator.Refused(); err != nil {
		c.logf("%v", err)
	}
	c.logf("%d messages are acknowledged", written.Len())
	return c.awaitThrough(ctx)
}

// awaitThrough waits until each stage has committed all of its input, and nothing is
// parked but what is to stay. When nothing gets less any more, what is left is up to
// the checker: it is lost.
func (c *crew) awaitThrough(ctx context.Context) error {
	reader, err := topics.New(c.cfg.Brokers)
	if err != nil {
		return err
	}
	defer reader.Close()
	fewest, since := int64(math.MaxInt64), time.Now()
	for {
		left, parked, err := c.left(ctx, reader)
		switch patience := c.cfg.Patience + c.cfg.SlowWait; {
		case err != nil:
			return err
		case left == 0:
			return nil
		case left < fewest:
			fewest, since = left, time.Now()
		case time.Since(since) < patience:
		default:
			c.logf("%d messages are left after %v without any progress, %d of them parked", left, patience, parked)
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// left is how many messages the stages have left, and how many of them are parked.
func (c *crew) left(ctx context.Context, reader *topics.Reader) (left, parked int64, err error) {
	for _, s := range c.stages {
		lag, err := c.pipes.lag(ctx, reader, c.cfg.Pipeline, s)
		if err != nil {
			return 0, 0, err
		}
		unread, n, err := c.logs.left(ctx, reader, s)
		if err != nil {
			return 0, 0, err
		}
		left, parked = left+lag+unread+int64(n), parked+int64(n)
	}
	return left, parked, nil
}

// readPatience is how long the last records may take to be read.
const readPatience = 30 * time.Second

// awaitRead waits until the pipes and the retry logs are read to their ends.
func (c *crew) awaitRead(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readPatience, errors.New("the topics cannot be read to their ends"))
	defer cancel()
	return c.await(ctx, func(reader *topics.Reader, s flow.Stage) (left int64, err error) {
		for _, topic := range []string{flow.Topic(c.cfg.Pipeline, s.Name), flow.PoisonTopic(c.cfg.Pipeline, s.Name)} {
			n, err := c.pipes.unread(ctx, reader, topic)
			if err != nil {
				return 0, err
			}
			left += n
		}
		unread, _, err := c.logs.left(ctx, reader, s)
		return left + unread, err
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
