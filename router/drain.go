package router

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// drainPoll is how often the groups' offsets are looked at.
const (
	drainPoll    = 200 * time.Millisecond
	maxDrainPoll = 5 * time.Second
)

// AwaitDrained waits until the finite sources of this process are done and
// every stage has caught up: in topological order, so that nothing can come
// any more into what has been looked at. Stages that other processes run are
// waited for too where they feed one of this process. It is called while Run
// runs.
//
// What is parked is waited for as well, also when it is to be tried in an hour:
// it is work that is left, whichever process has it. What an operator has to
// decide about, a held message and those behind it, is not waited for.
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
	reader, err := kafka.NewReader(ctx, r.cfg.Kafka)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	for _, s := range r.feeding() {
		if err := r.awaitCaughtUp(ctx, admin, NewBacklogs(admin, reader, s), s); err != nil {
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

func (r *Router) awaitCaughtUp(ctx context.Context, admin *kafka.Admin, logs *Backlogs, s *pipeline.StageNode) error {
	topics := make([]string, len(s.Inputs))
	for i, p := range s.Inputs {
		topics[i] = p.Topic
	}
	wait := drainPoll
	for {
		lags, err := admin.Lag(ctx, s.Group, topics...)
		if err != nil {
			return err
		}
		behind := int64(0)
		for _, l := range lags {
			behind += l.Behind()
		}
		// In this order: an offset is committed when what was parked below it is in
		// the log, and in the index.
		if behind == 0 && r.parkedHere(s) == 0 {
			parked, err := logs.toTry(ctx, s)
			if err != nil || parked == 0 {
				return err
			}
			wait = min(2*wait, maxDrainPoll) // a log may be long
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// parkedHere is how many messages of a stage are parked in this process and are to
// be tried again. It may miss those of a partition that is just changing hands.
func (r *Router) parkedHere(node *pipeline.StageNode) int {
	n := 0
	for _, s := range r.stages {
		if s.node != node {
			continue
		}
		for _, p := range s.allParkers() {
			n += countToTry(p.index)
		}
	}
	return n
}

// countToTry is how many messages are to be tried again: not those that are held, nor
// those behind them.
func countToTry(index *parking.Index) int {
	now := index.Stats()
	if now.Held == 0 {
		return now.Live + now.Expected
	}
	n := now.Expected
	held := map[string]bool{}                 // keys
	for _, l := range index.Snapshot().Live { // by rank
		if l.Held && l.HasKey {
			held[l.Key] = true
		}
		if !l.Held && (!l.HasKey || !held[l.Key]) {
			n++
		}
	}
	return n
}
