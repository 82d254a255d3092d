package pipelinetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// memoryEngine runs stages in the caller's goroutine. Topics are slices.
type memoryEngine struct {
	topics map[string][]kafka.Record
	stages []*memoryStage
	now    time.Time
}

// maxSteps bounds what one call may lead to: far more than a test can want, few
// enough that a pipeline which feeds itself for ever ends the test.
const maxSteps = 10_000_000

func newMemoryEngine(t testing.TB, g *pipeline.Graph, names []string) *memoryEngine {
	t.Helper()
	e := &memoryEngine{topics: map[string][]kafka.Record{}, now: time.Now()}
	for _, n := range runs(g, names) {
		if err := n.Open(t.Context()); err != nil {
			t.Fatalf("open the filter of stage %s: %v", n.Name, err)
		}
		t.Cleanup(func() {
			if err := n.Close(context.Background()); err != nil {
				t.Errorf("close the filter of stage %s: %v", n.Name, err)
			}
		})
		e.stages = append(e.stages, newMemoryStage(e, n))
	}
	return e
}

// store appends to a topic, as a broker does.
func (e *memoryEngine) store(out *kafka.Output) {
	topic := e.topics[out.Topic]
	at := out.Time
	if at.IsZero() {
		at = e.now
	}
	e.topics[out.Topic] = append(topic, kafka.Record{
		Topic: out.Topic, Offset: int64(len(topic)), Time: at.Truncate(time.Millisecond),
		Key: slices.Clone(out.Key), Value: slices.Clone(out.Value), Headers: slices.Clone(out.Headers),
	})
}

func (e *memoryEngine) put(ctx context.Context, outs []kafka.Output) error {
	for i := range outs {
		e.store(&outs[i])
	}
	return e.work(ctx)
}

// work does what can be done now.
func (e *memoryEngine) work(ctx context.Context) error {
	steps := 0
	for worked := true; worked; {
		worked = false
		for _, s := range e.stages {
			for s.step(ctx) {
				worked = true
				steps++
				if steps > maxSteps {
					return fmt.Errorf("the stages were called %d times and there is more to do: does a pipe feed itself?", maxSteps)
				}
			}
		}
	}
	return nil
}

// nextDue is the time of the message that is due first of those that wait.
func (e *memoryEngine) nextDue() (due time.Time, ok bool) {
	for _, s := range e.stages {
		if at, waits := s.nextDue(); waits && (!ok || at.Before(due)) {
			due, ok = at, true
		}
	}
	return due, ok
}

func (e *memoryEngine) advance(ctx context.Context, d time.Duration) error {
	end := e.now.Add(d)
	for {
		due, ok := e.nextDue()
		if !ok || due.After(end) {
			e.now = end
			return nil
		}
		e.now = due
		if err := e.work(ctx); err != nil {
			return err
		}
	}
}

func (e *memoryEngine) drain(ctx context.Context) error {
	for {
		due, ok := e.nextDue()
		if !ok {
			return nil
		}
		e.now = due
		if err := e.work(ctx); err != nil {
			return err
		}
	}
}

func (e *memoryEngine) read(_ context.Context, topic string) ([]kafka.Record, error) {
	return e.topics[topic], nil
}

func (e *memoryEngine) failures(_ context.Context, n *pipeline.StageNode) ([]Failure, error) {
	for _, s := range e.stages {
		if s.node == n {
			return slices.Clone(s.failed), nil
		}
	}
	return nil, nil
}

func (e *memoryEngine) skipped(n *pipeline.StageNode) int64 {
	for _, s := range e.stages {
		if s.node == n {
			return s.skipped
		}
	}
	return 0
}
