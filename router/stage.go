package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

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
}

// input is one pipe that a stage reads.
type input struct {
	attempt attempt
	batch   pipeline.BatchCall // nil unless the filter takes batches
}

// worker works on the batches of one claim, one batch after the other. It
// returns when every record of the batch is settled, abandoned or handed over
// to a goroutine of its own that does so.
type worker interface {
	work(b *kafka.Batch, in *input) error
}

func newStage(r *Router, node *pipeline.StageNode) (*stage, error) {
	s := &stage{
		router: r, node: node, log: r.cfg.Logger.With("stage", node.Group),
		life: newLifecycle(), byTopic: make(map[string]*input, len(node.Inputs)),
		claims: map[*kafka.Claim]struct{}{}, workers: map[*kafka.Claim]worker{},
	}
	for i, pipe := range node.Inputs {
		in := &input{}
		if node.Batch != nil {
			in.batch = node.Batch.Calls[i]
		} else {
			in.attempt = newAttempt(node, node.Calls[i])
		}
		s.topics = append(s.topics, pipe.Topic)
		s.byTopic[pipe.Topic] = in
	}
	cfg := r.cfg.subscriber(node.Group, s.topics)
	cfg.OnJoin = func(map[string][]int32) { s.life.set(StateRunning); r.joined(s) }
	cfg.OnError = func(err error) { s.stats.restarts.Add(1); s.life.failed(err, time.Time{}) }
	cfg.OnAssign = func(map[string][]int32) { s.stats.rebalances.Add(1) }
	cfg.OnClaim = s.claimed
	sub, err := kafka.NewSubscriber(cfg)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", node.Group, err)
	}
	s.sub = sub
	return s, nil
}

// claimed is called when the stage has been given a partition, before it is read.
func (s *stage) claimed(_ context.Context, claim *kafka.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims[claim] = struct{}{}
	context.AfterFunc(claim.Context(), func() {
		s.mu.Lock()
		delete(s.claims, claim)
		s.mu.Unlock()
	})
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
	if err := s.worker(b.Claim).work(b, in); err != nil {
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
	if w == nil {
		switch {
		case s.node.Batch != nil:
			w = newBatchWorker(s, claim)
		case s.node.Lanes > 1:
			w = newLaneWorker(s, claim)
		default:
			w = newInlineWorker(s, claim)
		}
		s.workers[claim] = w
		context.AfterFunc(claim.Context(), func() {
			s.mu.Lock()
			delete(s.workers, claim)
			s.mu.Unlock()
		})
	}
	return w
}
