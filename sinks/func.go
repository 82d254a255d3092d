package sinks

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// Func calls f for each message. [pipeline.FromContext] finds the message's id
// and all the rest in the context.
func Func[T any](f func(context.Context, T) error) pipeline.Filter[T, pipeline.None] {
	return funcSink[T](f)
}

type funcSink[T any] func(context.Context, T) error

func (f funcSink[T]) Filter(ctx context.Context, m *pipeline.Message[T], _ *pipeline.Emitter[pipeline.None]) error {
	return f(ctx, m.Body)
}
