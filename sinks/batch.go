package sinks

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// Batch calls f with up to most messages at once, at least 1, and waits up to wait
// for them once there is one. A batch is of one partition and in order, and it may
// hold several messages of one key. f may keep the slice.
//
// f returns nil when all of the messages are done, and [BatchError] when some are not.
// Any other error fails all of them. Failed messages are tried again, in whatever
// batches they fall into then, so what f did for them must bear being done again.
func Batch[T any](most int, wait time.Duration, f func(context.Context, []T) error) pipeline.Filter[T, pipeline.None] {
	if f == nil {
		return nil // Build says where
	}
	return &batchSink[T]{most: most, wait: wait, f: f}
}

type batchSink[T any] struct {
	most int
	wait time.Duration
	f    func(context.Context, []T) error
}

// Batch implements pipeline.BatchFilter.
func (s *batchSink[T]) Batch() (most int, wait time.Duration) { return s.most, s.wait }

// FilterBatch calls the function.
func (s *batchSink[T]) FilterBatch(ctx context.Context, items []pipeline.Item[T, pipeline.None]) error {
	bodies := make([]T, len(items))
	for i, item := range items {
		bodies[i] = item.Body
	}
	failed, err := split(s.f(ctx, bodies), len(items))
	for i, err := range failed {
		items[i].Fail(err)
	}
	return err
}

// Filter calls the function with a batch of one message.
func (s *batchSink[T]) Filter(ctx context.Context, m *pipeline.Message[T], _ *pipeline.Emitter[pipeline.None]) error {
	failed, err := split(s.f(ctx, []T{m.Body}), 1)
	if err != nil {
		return err
	}
	return failed[0]
}

// split tells which messages of a batch of n failed, or why all did.
//
// Only a bare BatchError counts. One that is wrapped, or joined with the error of a
// commit, may mean that all failed: taking the others as done could lose them.
func split(err error, n int) (BatchError, error) {
	failed, ok := err.(BatchError) //nolint:errorlint // see above
	if !ok {
		return nil, err
	}
	for i := range failed {
		if i < 0 || i >= n {
			return nil, fmt.Errorf("the sink's function fails message %d of a batch of %d, which counts from 0", i, n)
		}
	}
	return failed, nil
}
