package pipelinetest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// brokerEngine runs stages in a router, on an embedded broker in memory.
type brokerEngine struct {
	cfg    kafka.Config
	router *router.Router
	pub    *kafka.Publisher
}

// patience bounds a call that starts, stops or waits for something.
const patience = time.Minute

func newBrokerEngine(t testing.TB, g *pipeline.Graph, names []string) *brokerEngine {
	t.Helper()
	for _, n := range g.Stages {
		n.Backoff, n.ParkBackoff = pipeline.Constant(time.Millisecond), pipeline.Constant(time.Millisecond)
	}
	e, err := startBroker(t, g, names)
	if err != nil {
		t.Fatalf("start the pipeline on the embedded broker: %v", err)
	}
	return e
}

func startBroker(t testing.TB, g *pipeline.Graph, names []string) (_ *brokerEngine, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Start(ctx, broker.Config{Logger: log})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close the embedded broker: %v", err)
		}
	})
	e := &brokerEngine{cfg: kafka.Config{Brokers: b.Addrs()}}
	if err := e.makeTopics(ctx, g); err != nil {
		return nil, err
	}
	if e.pub, err = kafka.NewPublisher(kafka.PublisherConfig{Config: e.cfg, Logger: log}); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := e.pub.Close(); err != nil {
			t.Errorf("close the publisher: %v", err)
		}
	})
	if err := e.run(ctx, t, g, names, log); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *brokerEngine) makeTopics(ctx context.Context, g *pipeline.Graph) error {
	admin, err := kafka.NewAdmin(ctx, e.cfg)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	specs := router.Topics(router.TopicOptions{Partitions: 1}, g)
	for i := range specs {
		specs[i].Partitions = min(specs[i].Partitions, 1)
	}
	changes, err := router.Plan(ctx, admin, specs)
	if err != nil {
		return err
	}
	return router.Apply(ctx, admin, changes, func(router.Change) {})
}

// run runs the router until the test ends.
func (e *brokerEngine) run(ctx context.Context, t testing.TB, g *pipeline.Graph, names []string, log *slog.Logger) error {
	t.Helper()
	// Of a graph of its own: nobody is to wait for a stage that does not run.
	alone := &pipeline.Graph{Name: g.Name, Pipes: g.Pipes, Stages: runs(g, names)}
	r, err := router.New(router.Config{Kafka: e.cfg, Logger: log}, alone)
	if err != nil {
		return err
	}
	e.router = r
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop the stages: %v", err)
		}
	})
	select {
	case <-r.Ready():
		return nil
	case err := <-ended:
		ended <- nil
		return errors.Join(errors.New("the stages ended before they were ready"), err)
	case <-ctx.Done():
		return errors.Join(errors.New("the stages are not ready"), context.Cause(ctx))
	}
}

func (e *brokerEngine) put(ctx context.Context, outs []kafka.Output) error {
	if err := e.pub.Send(ctx, outs...); err != nil {
		return err
	}
	return e.drain(ctx)
}

func (e *brokerEngine) advance(ctx context.Context, _ time.Duration) error { return e.drain(ctx) }

func (e *brokerEngine) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return e.router.AwaitDrained(ctx)
}

func (e *brokerEngine) read(ctx context.Context, topic string) ([]kafka.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var records []kafka.Record
	err := kafka.ReadTopic(ctx, e.cfg, topic, func(r *kafka.Record) error {
		kept := *r
		kept.Key, kept.Value, kept.Headers = slices.Clone(r.Key), slices.Clone(r.Value), slices.Clone(r.Headers)
		records = append(records, kept)
		return nil
	})
	return records, err
}

func (e *brokerEngine) failures(ctx context.Context, n *pipeline.StageNode) ([]Failure, error) {
	records, err := e.read(ctx, n.PoisonTopic)
	if err != nil {
		return nil, err
	}
	var list []Failure
	for i := range records {
		p, err := router.ReadPoisoned(&records[i])
		if err != nil {
			return nil, err
		}
		original := kafka.Record{Topic: p.Topic, Partition: p.Partition, Offset: p.Offset, Time: p.RecordTime, Key: p.Key, Value: p.Value, Headers: p.Headers}
		m := message(&original)
		m.Identify(p.TopicID, p.Partition, p.Offset)
		list = append(list, Failure{Message: m, Stage: n.Name, Attempts: p.Attempts, First: p.FirstError, Last: p.LastError})
	}
	return list, nil
}

func (e *brokerEngine) skipped(n *pipeline.StageNode) int64 {
	for _, s := range e.router.Stats() {
		if s.Stage == n.Group {
			return s.Skipped
		}
	}
	return 0
}
