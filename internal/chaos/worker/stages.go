package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/pulse"
	"github.com/penstock/penstock/pipeline"
)

// declare makes the pipeline of the chaos run.
func declare(f flags, control Control, beat *pulse.Pulse) (*pipeline.Pipeline, error) {
	around, err := control.middleware()
	if err != nil {
		return nil, err
	}
	chaos := pipeline.New(f.pipeline)
	pipe := pipeline.NewPipe[[]byte](chaos, flow.In, pipeline.Partitions(flow.Partitions))
	for _, s := range flow.Stages(flow.Trouble{Chance: f.chance, Slow: f.slow > 0}) {
		pipe = pipeline.Stage(pipe, s.Name, stageOf(s, f, beat), pipeline.Partitions(flow.Partitions), pipeline.Open(),
			pipeline.Lanes(16), attempts(s), guarantee(f), pipeline.Use(around...))
	}
	return chaos, nil
}

// guarantee says what the stages are to hold.
func guarantee(f flags) pipeline.Option[[]byte] {
	if f.once {
		return pipeline.Options(pipeline.ExactlyOnce())
	}
	return pipeline.Options()
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

func stageOf(s flow.Stage, f flags, beat *pulse.Pulse) pipeline.Filter[[]byte, []byte] {
	name := []byte(f.name)
	return pipeline.FilterFunc[[]byte, []byte](func(ctx context.Context, in *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
		beat.InFilters.Add(+1)
		defer beat.InFilters.Add(-1)
		m, err := flow.Parse(in.Body)
		if err != nil {
			return filters.Reject(err)
		}
		if err := dawdle(ctx); err != nil {
			return err
		}
		if err := fail(s, m, pipeline.FromContext(ctx).Attempt, f.slow); err != nil {
			return err
		}
		if s.Rejects(m) {
			return filters.Rejectf("stage %s takes no message %d", s.Name, m.Number)
		}
		for _, o := range s.Make(m) {
			out.Emit([]byte(o.Value()), pipeline.WithHeader(flow.WorkerHeader, name))
		}
		return nil
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
