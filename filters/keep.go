package filters

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// Keep lets through the messages for which pred holds, with their headers and
// sequence, and drops the others without counting them as skipped.
func Keep[T any](pred func(T) bool) pipeline.Filter[T, T] { return keepFilter[T](pred) }

type keepFilter[T any] func(T) bool

func (f keepFilter[T]) Filter(_ context.Context, m *pipeline.Message[T], out *pipeline.Emitter[T]) error {
	if f(m.Body) {
		pipeline.Forward(out, m)
	}
	return nil
}
