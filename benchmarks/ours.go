package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// ours is a pipeline of one stage on the router, as a user would write it:
// envelope, derived ids, poison and commits are on.
func ours(ctx context.Context, j job, filter filterFunc) error {
	p := pipeline.New(pipelineName)
	in := pipeline.NewPipe[[]byte](p, j.Input, pipeline.Partitions(j.Load.Partitions))
	opts := []pipeline.Option[[]byte]{
		pipeline.Partitions(j.Load.Partitions), pipeline.Lanes(max(1, j.Load.Lanes)), pipeline.Open(),
	}
	if j.isExactly() {
		opts = append(opts, pipeline.ExactlyOnce(), pipeline.CommitEvery(transactionInterval, j.Load.Commit))
	}
	pipeline.Stage(in, j.Run, filters.Map(filter), opts...)
	graph, err := p.Build()
	if err != nil {
		return err
	}
	cluster := kafka.Config{Brokers: j.Brokers}
	if err := makeTopics(ctx, cluster, graph); err != nil {
		return err
	}
	r, err := router.New(router.Config{
		Kafka:          cluster,
		CommitInterval: commitInterval,
		Logger:         slog.New(slog.DiscardHandler),
	}, graph)
	if err != nil {
		return err
	}
	if err := r.Run(ctx); err != nil {
		return err
	}
	if s := r.Stats()[0]; s.Poisoned > 0 || s.Restarts > 0 {
		return fmt.Errorf("%d messages were poisoned and %d memberships failed", s.Poisoned, s.Restarts)
	}
	return nil
}

// makeTopics makes what is missing: the poison topic.
func makeTopics(ctx context.Context, cluster kafka.Config, graph *pipeline.Graph) error {
	admin, err := kafka.NewAdmin(ctx, cluster)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	changes, err := router.Plan(ctx, admin, router.Topics(router.TopicOptions{}, graph))
	if err != nil {
		return err
	}
	return router.Apply(ctx, admin, changes, func(router.Change) {})
}
