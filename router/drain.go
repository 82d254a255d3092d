package router

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// drainPoll is how often the groups' offsets are looked at.
const drainPoll = 200 * time.Millisecond

// AwaitDrained waits until the finite sources of this process are done and
// every stage has caught up: in topological order, so that nothing can come
// any more into what has been looked at. Stages that other processes run are
// waited for too where they feed one of this process. It is called while Run
// runs.
func (r *Router) AwaitDrained(ctx context.Context) error {
	for _, s := range r.sources {
		if !s.node.Finite {
			continue
		}
		select {
		case <-s.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	admin, err := kafka.NewAdmin(ctx, r.cfg.Kafka)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	for _, s := range r.feeding() {
		if err := awaitCaughtUp(ctx, admin, s); err != nil {
			return fmt.Errorf("wait until stage %s has caught up: %w", s.Group, err)
		}
	}
	return nil
}

// feeding are the stages of this process and all those upstream of them, in
// topological order.
func (r *Router) feeding() []*pipeline.StageNode {
	mine := map[*pipeline.StageNode]bool{}
	for _, s := range r.stages {
		mine[s.node] = true
	}
	var order []*pipeline.StageNode
	for _, g := range r.graphs {
		needed := map[*pipeline.PipeNode]bool{} // pipes that a stage of this process reads, or one that feeds it
		keep := map[*pipeline.StageNode]bool{}
		for _, s := range slices.Backward(g.Stages) { // a stage comes after those that feed it
			feeds := false
			for _, p := range s.Outputs {
				feeds = feeds || needed[p]
			}
			if keep[s] = feeds || mine[s]; keep[s] {
				for _, p := range s.Inputs {
					needed[p] = true
				}
			}
		}
		for _, s := range g.Stages {
			if keep[s] {
				order = append(order, s)
			}
		}
	}
	return order
}

func awaitCaughtUp(ctx context.Context, admin *kafka.Admin, s *pipeline.StageNode) error {
	topics := make([]string, len(s.Inputs))
	for i, p := range s.Inputs {
		topics[i] = p.Topic
	}
	t := time.NewTicker(drainPoll)
	defer t.Stop()
	for {
		lags, err := admin.Lag(ctx, s.Group, topics...)
		if err != nil {
			return err
		}
		behind := int64(0)
		for _, l := range lags {
			behind += l.Behind()
		}
		if behind == 0 {
			return nil
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
