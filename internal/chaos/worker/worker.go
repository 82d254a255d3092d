// Package worker is a process of a chaos run: it runs stages of the pipeline that
// package flow describes.
//
// It tells on its standard output what it is at, a line each time: "ready" when it
// has its share of the partitions, and how many messages are in its filters
// whenever that changes. So what a worker wrote last before it was killed says
// what the kill met. It stops gracefully on SIGTERM, and when its standard input
// ends, since then nobody looks after it any more.
package worker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

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
	steady   bool
	topics   bool
	parking  bool
	slow     time.Duration
}

func parse(args []string) (flags, error) {
	var f flags
	set := flag.NewFlagSet("worker", flag.ContinueOnError)
	set.StringVar(&f.brokers, "brokers", "", "`addresses` of the brokers, separated by commas")
	set.StringVar(&f.pipeline, "pipeline", "chaos", "`name` of the pipeline")
	set.StringVar(&f.stages, "stages", "", "`stages` to run, separated by commas (default all)")
	set.DurationVar(&f.session, "session", 1500*time.Millisecond, "session time-out of the consumer groups")
	set.BoolVar(&f.steady, "steady", false, "let no filter fail now and then")
	set.BoolVar(&f.parking, "parking", false, "let attempts fail as in mode parking, and park what has failed")
	set.DurationVar(&f.slow, "slow", 90*time.Second, "how long messages wait of the keys that wait for long")
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
	p, err := declare(f, control, newPulse(out))
	if err != nil {
		return err
	}
	g, err := p.Build()
	if err != nil {
		return err
	}
	cluster := kafka.Config{Brokers: strings.Split(f.brokers, ",")}
	if f.topics {
		return makeTopics(ctx, cluster, g)
	}
	cfg := router.Config{Kafka: cluster, SessionTimeout: f.session, StopTimeout: 20 * time.Second, Logger: log}
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
			fmt.Fprintln(out, ready)
		case <-ctx.Done():
		}
	}()
	err = r.Run(ctx)
	if asked := context.Cause(ctx); asked != nil && errors.Is(err, asked) {
		return nil // it was stopped while it started
	}
	return err
}

// ready is the line that says that a worker has its share of the partitions.
const ready = "ready"

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
