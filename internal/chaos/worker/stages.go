package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/pipeline"
)

// declare makes the pipeline of the chaos run.
func declare(f flags, control Control, p *pulse) (*pipeline.Pipeline, error) {
	around, err := control.middleware()
	if err != nil {
		return nil, err
	}
	chaos := pipeline.New(f.pipeline)
	pipe := pipeline.NewPipe[[]byte](chaos, flow.In, pipeline.Partitions(flow.Partitions))
	stages := flow.Stages()
	if f.parking {
		stages = flow.ParkingStages()
	}
	for _, s := range stages {
		pipe = pipeline.Stage(pipe, s.Name, stageOf(s, f, p), pipeline.Partitions(flow.Partitions), pipeline.Open(),
			pipeline.Lanes(16), attempts(s), pipeline.Use(around...))
	}
	return chaos, nil
}

// attempts say how often and when a message is tried.
func attempts(s flow.Stage) pipeline.Option[[]byte] {
	quick := pipeline.Exponential(5*time.Millisecond, 50*time.Millisecond)
	if !s.Parking() {
		return pipeline.Options(pipeline.Retry(10, quick))
	}
	return pipeline.Options(pipeline.Retry(s.Attempts(), quick), pipeline.Park(flow.Parks, pipeline.Exponential(20*time.Millisecond, 200*time.Millisecond)))
}

// errFlaky is what a filter fails with now and then, though nothing is wrong.
var errFlaky = errors.New("fails now and then")

func stageOf(s flow.Stage, f flags, p *pulse) pipeline.Filter[[]byte, []byte] {
	return filters.FlatMap(func(ctx context.Context, value []byte) ([][]byte, error) {
		p.add(+1)
		defer p.add(-1)
		m, err := flow.Parse(value)
		if err != nil {
			return nil, filters.Reject(err)
		}
		if err := dawdle(ctx); err != nil {
			return nil, err
		}
		if s.Parking() {
			if err := fail(s, m, pipeline.FromContext(ctx).Attempt, f.slow); err != nil {
				return nil, err
			}
		}
		if s.Rejects(m) {
			return nil, filters.Rejectf("stage %s takes no message %d", s.Name, m.Number)
		}
		if !f.steady && !s.Parking() && rand.IntN(100) == 0 { //nolint:gosec // chance, no secret
			return nil, errFlaky
		}
		var made [][]byte
		for _, o := range s.Make(m) {
			made = append(made, []byte(o.Value()))
		}
		return made, nil
	})
}

// forever is longer than any run.
const forever = 24 * time.Hour

// fail is the error of an attempt, where it is one that fails.
func fail(s flow.Stage, m flow.Message, attempt int, slow time.Duration) error {
	switch {
	case !s.Fails(m, attempt):
		return nil
	case s.Blocks(m):
		return pipeline.RetryAfter(forever, errFlaky)
	case s.Slow(m) && attempt == s.Attempts():
		return pipeline.RetryAfter(slow, errFlaky)
	default:
		return errFlaky
	}
}

// dawdle takes a little while: mostly none or a few milliseconds, now and then
// some more.
func dawdle(ctx context.Context) error {
	d := time.Duration(rand.IntN(4)) * time.Millisecond //nolint:gosec // chance, no secret
	if rand.IntN(50) == 0 {                             //nolint:gosec // chance, no secret
		d += time.Duration(rand.IntN(50)) * time.Millisecond //nolint:gosec // chance, no secret
	}
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
