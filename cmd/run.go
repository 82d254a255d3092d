package cmd

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func (a *app) run() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Run stages and sources: all of them, or those that are named",
		Long: `Run runs stages and sources in this process: all of them, or those that
--stage and --source name. Run it as often as is needed, on as many machines: the
processes share the partitions of each stage.

Without --brokers it starts the embedded broker, which is for development and
tests, or joins the one that runs on the data directory already, and makes the
topics that are missing. On a Kafka cluster it makes none: it names what is
missing, and the command that makes it.

The first SIGINT or SIGTERM stops it gracefully: it takes no new messages,
finishes those it is at within --stop-timeout, and commits what is done. The
second one ends it at once. Either way nothing is lost: what was not finished is
done by the next run.

With --listen it serves /healthz (restart it when that fails), /readyz and
/metrics (for Prometheus).

Sources that are triggered over HTTP are reached at --http.

With --drain it ends when the sources that end by themselves are done and every
stage has caught up, and prints what was done.`,
		Example: a.example("{} run", "{} run --drain", "{} run --stage STAGE --brokers kafka-1:9092,kafka-2:9092"),
	}
	return a.makeRun(c)
}

// makeRun makes a command run the pipelines: the command run, or the root.
func (a *app) makeRun(c *cobra.Command) *cobra.Command {
	c.Args = cobra.NoArgs
	f := newRunFlags(c)
	a.completeFlag(c, stageFlag, stageNames)
	a.completeFlag(c, sourceFlag, sourceNames)
	a.does(c, func(ctx context.Context, _ []string) error { return a.runPipelines(ctx, f) })
	return a.buildsPipelines(c)
}

// startPatience is how long the embedded broker may take to start.
const startPatience = time.Minute

func (a *app) runPipelines(ctx context.Context, f *runFlags) (err error) {
	graphs, err := a.graphs()
	if err != nil {
		return err
	}
	j, err := a.newJob(f)
	if err != nil {
		return err
	}
	if err := j.check(graphs); err != nil {
		return err
	}
	defer func() {
		if exitCode(signalled(ctx, err)) == ExitInterrupted && !j.drain {
			err = nil // a run that has no end of its own was stopped while it started
		}
	}()
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	defer j.registry.Close()
	if j.cluster, err = f.connection.start(starting, j.log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.cluster.Close()) }()
	admin, err := j.cluster.admin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	if j.cluster.embedded {
		if err := j.makeTopics(ctx, admin, graphs); err != nil {
			return err
		}
	}
	j.cfg.Kafka = j.cluster.kafka
	j.cfg.Kafka.Rack = j.flags.rack
	flush, err := j.trace(ctx, a.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, flush()) }()
	r, err := router.New(j.cfg, graphs...)
	if err != nil {
		return wrongUse("%w", err)
	}
	if err := j.registry.open(ctx, usesOf(r, graphs)); err != nil {
		return err
	}
	stop, err := j.listen(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	return a.runRouter(ctx, j, r, admin, graphs)
}

// job is a run as its flags describe it.
type job struct {
	flags   *runFlags
	cfg     router.Config
	drain   bool
	log     *slog.Logger
	stderr  *redirected // of log
	cluster *cluster

	registry *schemaRegistry
	stopTime *stopTime
}

func (a *app) newJob(f *runFlags) (*job, error) {
	j := &job{flags: f, drain: f.drain, stderr: &redirected{to: a.stderr}}
	if !f.flags.Changed(drainFlag) && a.program.Drain != nil && len(f.stages)+len(f.sources) == 0 {
		j.drain = a.program.Drain()
	}
	if f.json && !j.drain {
		return nil, wrongUse("%s prints what a run that ends has done: give --%s too", given(f.flags, jsonFlag), drainFlag)
	}
	j.log = f.log.logger(j.stderr)
	var err error
	if j.cfg, err = f.router(j.log); err != nil {
		return nil, err
	}
	j.stopTime = &stopTime{takes: j.cfg.StopTimeout}
	j.cfg.OnStart, j.cfg.OnStop = a.program.OnStart, a.program.OnStop
	j.registry, err = a.schemaRegistry(f.registry, j.log)
	return j, err
}

// check finds what is wrong with the choice of stages before a broker is
// started for it.
func (j *job) check(graphs []*pipeline.Graph) error {
	cfg := j.cfg
	cfg.Kafka = kafka.Config{Brokers: []string{"127.0.0.1:9"}} // nothing connects before a Run
	if _, err := router.New(cfg, graphs...); err != nil {
		return wrongUse("%w", err)
	}
	return nil
}

// makeTopics makes what is missing on the embedded broker.
func (j *job) makeTopics(ctx context.Context, admin *kafka.Admin, graphs []*pipeline.Graph) error {
	changes, err := router.Plan(ctx, admin, router.Topics(j.flags.topics.options, graphs...))
	if err != nil {
		return err
	}
	for _, c := range changes {
		if c.Action == router.ByHand && j.flags.flags.Changed(partitionsFlag) {
			j.log.Warn("the topic stays as it is", "topic", c.Name, "why", strings.Join(c.Notes, "; "))
		}
	}
	return router.Apply(ctx, admin, changes, func(c router.Change) {
		j.log.Debug("topic", "topic", c.Name, "action", string(c.Action), "partitions", c.Partitions)
	})
}

// explain gives the error of a Run the exit status and the advice that it needs.
func (a *app) explain(err error, j *job) error {
	if busy, ok := errors.AsType[*router.ListenError](err); ok {
		return wrongUse("%s: %w; give another address", given(j.flags.flags, httpFlag), busy)
	}
	var missing *router.MissingTopicsError
	if !errors.As(err, &missing) {
		return err
	}
	return topicsMissing("%s; make them so with: %s", strings.Join(missingText(missing), "; "), a.applyCommand(j.flags.flags))
}

func missingText(e *router.MissingTopicsError) []string {
	var parts []string
	if len(e.Missing) > 0 {
		parts = append(parts, "these topics do not exist: "+strings.Join(e.Missing, ", "))
	}
	if len(e.Wrong) > 0 {
		parts = append(parts, "these topics would lose messages as they are: "+strings.Join(e.Wrong, ", "))
	}
	return parts
}

// tellStop says what a signal begins, when it comes, until it is undone.
func (j *job) tellStop(ctx context.Context) (undo func()) {
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		j.log.Info("stopping gracefully; a second signal ends at once, and what was not finished is done by the next run",
			"because", context.Cause(ctx), "at_most", j.cfg.StopTimeout)
	})
	return func() {
		if !stop() {
			<-told
		}
	}
}
