// Package worker is a process of a chaos run: it runs stages of the pipeline that
// package flow describes.
//
// It tells what it is at in a file, its pulse, and prints "begun" when it heeds
// signals, and "ready" when it has its share of the partitions. It stops gracefully on
// SIGTERM, and when its standard input ends, since then nobody looks after it any more.
package worker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"time"

	"github.com/penstock/penstock/internal/chaos/pulse"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// ControlVariable is the environment variable that makes a worker break a
// guarantee on purpose; see Control. The checker must find it.
const ControlVariable = "PENSTOCK_CHAOS_CONTROL"

// RuleVariable is the environment variable that names a rule of the router that a
// worker breaks on purpose. The checker must find that too.
const RuleVariable = "PENSTOCK_CHAOS_BREAK"

type flags struct {
	brokers  string
	pipeline string
	stages   string
	session  time.Duration
	stop     time.Duration
	name     string
	pulse    string
	topics   bool
	once     bool
	chance   int
	slow     time.Duration
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("worker", flag.ContinueOnError)
	set.StringVar(&f.brokers, "brokers", "", "`addresses` of the brokers, separated by commas")
	set.StringVar(&f.pipeline, "pipeline", "chaos", "`name` of the pipeline")
	set.StringVar(&f.stages, "stages", "", "`stages` to run, separated by commas (default all)")
	set.DurationVar(&f.session, "session", 1500*time.Millisecond, "session time-out of the consumer groups")
	set.DurationVar(&f.stop, "stop", 20*time.Second, "how long the worker may take to finish what is under way when it stops")
	set.StringVar(&f.name, "name", "worker", "`name` of the worker, with which it marks what it makes")
	set.StringVar(&f.pulse, "pulse", "", "`file` in which the worker tells what it is at; it must be there")
	set.BoolVar(&f.once, "exactly-once", false, "run the stages exactly once")
	set.IntVar(&f.chance, "chance", 0, "one attempt in so many fails, and what has failed is parked (default none)")
	set.DurationVar(&f.slow, "slow", 0, "how long messages wait of the keys that wait for long (default: there are none)")
	set.BoolVar(&f.topics, "make-topics", false, "make the topics and end")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if f.brokers == "" {
		return f, errors.New("--brokers is required")
	}
	return f, nil
}

// Run runs the stages that the arguments name until ctx ends or in does.
func Run(ctx context.Context, args []string, control Control, in io.Reader, out io.Writer, log *slog.Logger) error {
	f, err := parse(args)
	if err != nil {
		return err
	}
	if err := breakRule(os.Getenv(RuleVariable)); err != nil {
		return err
	}
	beat := new(pulse.Pulse)
	if f.pulse != "" {
		if beat, _, err = pulse.Open(f.pulse); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "begun")
	p, err := declare(f, control, beat)
	if err != nil {
		return err
	}
	g, err := p.Build()
	if err != nil {
		return err
	}
	cluster := kafka.Config{Brokers: strings.Split(f.brokers, ","), ClientID: f.name}
	if f.topics {
		return makeTopics(ctx, cluster, g)
	}
	// No message is to blame for the end of a worker that is killed.
	cfg := router.Config{Kafka: cluster, SessionTimeout: f.session, StopTimeout: f.stop, Logger: log, CrashesBeforeAlone: math.MaxInt32}
	if f.stages != "" {
		cfg.Stages = strings.Split(f.stages, ",")
	}
	r, err := router.New(cfg, g)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process where in does not
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	go func() {
		select {
		case <-r.Ready():
			fmt.Fprintln(out, "ready")
		case <-ctx.Done():
		}
	}()
	go watch(ctx, r, beat)
	err = r.Run(ctx)
	if asked := context.Cause(ctx); asked != nil && errors.Is(err, asked) {
		return nil // it was stopped while it started
	}
	return err
}

// watchEach is how often it is looked whether the worker takes over what is parked.
const watchEach = 5 * time.Millisecond

// watch keeps telling how many partitions the worker is taking over.
func watch(ctx context.Context, r *router.Router, beat *pulse.Pulse) {
	tick := time.NewTicker(watchEach)
	defer tick.Stop()
	for ctx.Err() == nil {
		n := 0
		for _, s := range r.Status().Stages {
			n += len(s.TakingOver)
		}
		beat.TakingOver.Store(int64(n))
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func makeTopics(ctx context.Context, cluster kafka.Config, g *pipeline.Graph) (err error) {
	admin, err := kafka.NewAdmin(ctx, cluster)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	changes, err := router.Plan(ctx, admin, router.Topics(router.TopicOptions{}, g))
	if err != nil {
		return err
	}
	return router.Apply(ctx, admin, changes, func(router.Change) {})
}
