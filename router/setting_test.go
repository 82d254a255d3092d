package router_test

import (
	"context"
	"log/slog"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// setting is what examples are set in: the pipeline "shop", with a pipe "in" that
// the stage "pay" reads, and its topics on an embedded broker.
type setting struct {
	ctx   context.Context
	at    kafka.Config
	graph *pipeline.Graph
}

// inSetting has an example told in a setting of its own. What comes into the pipe
// are values that the filter makes something of, or not.
func inSetting(pay pipeline.Filter[string, string], values []string, tell func(setting) error) (err error) {
	p := pipeline.New("shop")
	in := pipeline.NewPipe[string](p, "in", pipeline.Partitions(1))
	pipeline.Stage(in, "pay", pay, pipeline.Open(), pipeline.Partitions(1))
	s := setting{}
	if s.graph, err = p.Build(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s.ctx = ctx
	b, err := broker.Start(ctx, broker.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	s.at = kafka.Config{Brokers: b.Addrs()}
	if err := applyTopics(ctx, s.at, s.graph); err != nil {
		return err
	}
	if err := s.put(values); err != nil {
		return err
	}
	return tell(s)
}

// put is what any program does that has no pipeline.
func (s setting) put(values []string) error {
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{Config: s.at, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = pub.Close() }()
	for _, v := range values {
		if err := pub.Send(s.ctx, kafka.Output{Topic: "shop.in", Key: []byte(v), Value: []byte(`"` + v + `"`)}); err != nil {
			return err
		}
	}
	return nil
}

// run runs the stage until it is through with what there is.
func (s setting) run(cfg router.Config) error {
	cfg.Kafka, cfg.Logger = s.at, slog.New(slog.DiscardHandler)
	r, err := router.New(cfg, s.graph)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(s.ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	<-r.Ready()
	err = r.AwaitDrained(s.ctx)
	stop()
	if err != nil {
		return err
	}
	return <-ended
}
