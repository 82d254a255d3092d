package router_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// A program that does without package cmd: it makes the topics that are missing,
// runs the pipeline until all is done, and stops it.
func ExampleRouter() {
	if err := runNumbers(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// twice: 2
	// twice: 4
	// in 2, poisoned 0
}

func runNumbers() error {
	p := pipeline.New("numbers")
	counted := pipeline.Source(p, "count", sources.Func(countToTwo, sources.Finite()), pipeline.Partitions(1))
	twice := pipeline.Stage(counted, "twice", filters.Map(func(_ context.Context, n int) (int, error) { return 2 * n, nil }), pipeline.Partitions(1))
	pipeline.Sink(twice, "show", sinks.Func(func(_ context.Context, n int) error {
		fmt.Println("twice:", n)
		return nil
	}), pipeline.Lanes(1))
	graph, err := p.Build()
	if err != nil {
		return err
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Logger: log}) // in place of a cluster
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	at := kafka.Config{Brokers: b.Addrs()}
	if err := applyTopics(ctx, at, graph); err != nil {
		return err
	}

	r, err := router.New(router.Config{Kafka: at, Logger: log}, graph)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	<-r.Ready()
	err = r.AwaitDrained(ctx)
	stop()
	if err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	for _, s := range r.Stats() {
		if s.Stage == "numbers.twice" {
			fmt.Printf("in %d, poisoned %d\n", s.In, s.Poisoned)
		}
	}
	return nil
}

func applyTopics(ctx context.Context, at kafka.Config, graph *pipeline.Graph) error {
	admin, err := kafka.NewAdmin(ctx, at)
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

func countToTwo(ctx context.Context, emit pipeline.Emit[int]) error {
	return emit(ctx, pipeline.Trigger[int]{Body: 1, Key: "a"}, pipeline.Trigger[int]{Body: 2, Key: "a"})
}
