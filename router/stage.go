package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// stage is a stage of a pipeline as this process runs it.
type stage struct {
	router *Router
	node   *pipeline.StageNode
	sub    *kafka.Subscriber
	log    *slog.Logger
	stats  stageStats
	life   *lifecycle

	breaker    *breaker // nil: none
	activities activities
	latency    latency

	topics  []string
	byTopic map[string]*input

	mu      sync.Mutex
	claims  map[*kafka.Claim]struct{}
	workers map[*kafka.Claim]worker
	parkers map[*kafka.Claim]*parker
	guards  map[*kafka.Claim]*guard
	proven  atomic.Bool // a message has succeeded in this process
}

// input is one pipe that a stage reads.
type input struct {
	retryLog string // the topic; empty: the stage has none

	attempt attempt.Func
	batch   attempt.BatchFunc // nil unless the filter takes batches
}

// worker works on the batches of one claim, one batch after the other. It
// returns when every record of the batch is settled, abandoned or handed over
// to a goroutine of its own that does so.
type worker interface {
	work(b *kafka.Batch, in *input) error
}

// parkingWorker is a worker that tries parked messages too.
type parkingWorker interface {
	worker
	parkedRunner
}

func newStage(r *Router, node *pipeline.StageNode) (*stage, error) {
	s := &stage{
		router: r, node: node, log: r.cfg.Logger.With("stage", node.Group),
		life: newLifecycle(), byTopic: make(map[string]*input, len(node.Inputs)),
		claims: map[*kafka.Claim]struct{}{}, workers: map[*kafka.Claim]worker{}, parkers: map[*kafka.Claim]*parker{}, guards: map[*kafka.Claim]*guard{},
	}
	if b := node.Breaker; b != nil {
		s.breaker = newBreaker(b.Failures, b.Probe, s.log)
	}
	for i, pipe := range node.Inputs {
		in := &input{}
		if node.Batch != nil {
			in.batch = attempt.NewBatch(node, node.Batch.Calls[i])
		} else {
			in.attempt = attempt.New(node, node.Calls[i])
		}
		if r.cfg.Tracer != nil {
			in.trace(r.cfg.Tracer.Tracer(tracerName), node)
		}
		if len(node.RetryTopics) > 0 {
			in.retryLog = node.RetryTopics[i]
		}
		s.topics = append(s.topics, pipe.Topic)
		s.byTopic[pipe.Topic] = in
	}
	cfg := r.cfg.subscriber(node.Group, s.topics)
	cfg.OnJoin = func(map[string][]int32) { s.life.set(StateRunning); r.joined(s) }
	cfg.OnError = func(err error) { s.stats.restarts.Add(1); s.life.failed(err, time.Time{}) }
	cfg.OnAssign = func(map[string][]int32) { s.stats.rebalances.Add(1) }
	cfg.OnClaim, cfg.OnRelease = s.claimed, s.released
	cfg.Outputs = outputTopics(node)
	if node.ExactlyOnce {
		cfg.Transactions = &kafka.TransactionsConfig{CommitInterval: node.CommitInterval, CommitMessages: node.CommitMessages}
		cfg.OnCrowded = s.crowded
	}
	sub, err := kafka.NewSubscriber(cfg)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", node.Group, err)
	}
	s.sub = sub
	return s, nil
}

// outputTopics are the topics that a stage is known to write to.
func outputTopics(node *pipeline.StageNode) []string {
	topics := make([]string, 0, len(node.Outputs))
	for _, p := range node.Outputs {
		topics = append(topics, p.Topic)
	}
	return slices.Concat(topics, node.OutsideTopics, node.RetryTopics, []string{node.PoisonTopic})
}

// claimed is called when the stage has been given a partition, before it is read:
// its retry log is taken over first.
func (s *stage) claimed(ctx context.Context, claim *kafka.Claim) error {
	s.mu.Lock()
	s.claims[claim] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(claim.Context(), func() {
		s.mu.Lock()
		delete(s.claims, claim)
		delete(s.workers, claim)
		delete(s.parkers, claim)
		s.mu.Unlock()
	})
	in := s.byTopic[claim.Topic()]
	meta := newMetadata(claim)
	g, err := s.keepGuard(claim, meta)
	if err != nil {
		return err
	}
	if in == nil || in.retryLog == "" {
		return g.begin(ctx, nil)
	}
	p := newParker(s, claim, meta, in)
	if err := p.takeOver(ctx); err != nil {
		return err
	}
	if err := g.begin(ctx, p.index); err != nil {
		return err
	}
	w := s.newWorker(claim, p)
	s.mu.Lock()
	s.workers[claim], s.parkers[claim] = w, p
	s.mu.Unlock()
	p.begin(w)
	return nil
}

var errNoBatch = errors.New("the message carries no batch: the stage's handler is for the transport's subscriber only")

// handle is the stage's handler in the Watermill router.
func (s *stage) handle(m *message.Message) error {
	b, ok := kafka.FromMessage(m)
	if !ok {
		return errNoBatch
	}
	in := s.byTopic[b.Claim.Topic()]
	if in == nil {
		return fmt.Errorf("stage %s reads no topic %s", s.node.Group, b.Claim.Topic())
	}
	if err := s.workOn(b, in); err != nil {
		if b.Claim.Context().Err() == nil {
			s.log.Error("the stage cannot go on here; the partition is read again", "topic", b.Claim.Topic(), "partition", b.Claim.Partition(), "error", err)
		}
		return err
	}
	return nil
}

// worker returns the claim's worker, which lives as long as the claim.
func (s *stage) worker(claim *kafka.Claim) worker {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[claim]
	if w == nil { // it has no retry log
		w = s.newWorker(claim, nil)
		s.workers[claim] = w
	}
	return w
}

func (s *stage) newWorker(claim *kafka.Claim, p *parker) parkingWorker {
	if s.node.Batch != nil {
		return newBatchWorker(s, claim, p)
	}
	return newLaneWorker(s, claim, p)
}

// allParkers returns those of the claims that the stage has now.
func (s *stage) allParkers() []*parker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.parkers))
}
