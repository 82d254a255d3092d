package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// source is a source of a pipeline as this process runs it.
type source struct {
	node *pipeline.SourceNode
	name string // "<pipeline>.<source>"
	cfg  Config
	log  *slog.Logger
	pub  *kafka.Publisher
	once *onceMemory // nil unless the source's triggers are put once
	done chan struct{}
	life *lifecycle

	tracer trace.Tracer // nil: nothing is traced

	restarts atomic.Int64
}

func newSource(r *Router, node *pipeline.SourceNode) *source {
	name := sourceName(r.graphs, node)
	s := &source{node: node, name: name, cfg: r.cfg, log: r.cfg.Logger.With("source", name), done: make(chan struct{}), life: newLifecycle()}
	if r.cfg.Tracer != nil {
		s.tracer = r.cfg.Tracer.Tracer(tracerName)
	}
	return s
}

func sourceName(graphs []*pipeline.Graph, node *pipeline.SourceNode) string {
	for _, g := range graphs {
		if slices.Contains(g.Sources, node) {
			return g.Name + "." + node.Name
		}
	}
	return node.Name
}

func (s *source) open(ctx context.Context) error {
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{
		Config: s.cfg.Kafka, Producer: kafka.ProducerConfig{Compression: s.cfg.Compression},
		CloseTimeout: s.cfg.StopTimeout, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.pub = pub
	if s.node.Once {
		if s.once, err = recall(ctx, s.cfg.Kafka, s.node.OnceTopic); err != nil {
			return errors.Join(err, pub.Close())
		}
		s.log.Debug("recalled what was put before", "triggers", s.once.len())
	}
	if err := guarded(ctx, s.node.Open); err != nil { // a panic too leaves nothing open
		return errors.Join(err, pub.Close())
	}
	return nil
}

func (s *source) close(ctx context.Context) error {
	err := s.node.Close(ctx)
	if err != nil {
		err = fmt.Errorf("close source %s: %w", s.name, err)
	}
	return errors.Join(err, s.pub.Close())
}

// run runs the source until it is done or ctx ends; after an error, again.
func (s *source) run(ctx context.Context) {
	_ = keepTrying(ctx, s.log, s.life, "the source", func(ctx context.Context) error { // none is final
		s.life.set(StateRunning)
		if err := s.begin(ctx); err != nil {
			s.restarts.Add(1)
			return err
		}
		if ctx.Err() == nil {
			s.log.Info("the source is done")
			s.life.set(StateDone)
			close(s.done)
		}
		return nil
	})
}

// begin runs the source once.
func (s *source) begin(ctx context.Context) error {
	if s.node.Copy != nil {
		return s.copyTopic(ctx)
	}
	return s.node.Run(ctx, s.put)
}

// put stores triggers. It implements pipeline.PutFunc.
func (s *source) put(ctx context.Context, triggers ...pipeline.RawTrigger) error {
	if s.once != nil {
		return s.once.put(ctx, triggers, s.send, s.pub)
	}
	return s.send(ctx, triggers)
}

func (s *source) send(ctx context.Context, triggers []pipeline.RawTrigger) error {
	outs := make([]kafka.Output, len(triggers))
	var spans []trace.Span
	for i := range triggers {
		t := &triggers[i]
		env := t.Envelope(s.name)
		if span := s.sending(ctx, t, &env); span != nil {
			spans = append(spans, span)
		}
		outs[i] = s.record(t, &env)
	}
	err := s.pub.Send(ctx, outs...)
	sent(spans, err)
	if _, large := errors.AsType[*kafka.TooLargeError](err); large {
		return pipeline.Reject(err) // nothing was sent, and trying again does not help
	}
	return err
}

// record is what is stored of a trigger.
func (s *source) record(t *pipeline.RawTrigger, env *schemas.Envelope) kafka.Output {
	headers, _ := schemas.AppendHeaders[kafka.Header](nil, nil, env)
	rec := kafka.Output{Topic: t.Pipe.Topic, Value: t.Value, Headers: headers}
	if t.HasKey {
		rec.Key = []byte(t.Key)
	}
	return rec
}
