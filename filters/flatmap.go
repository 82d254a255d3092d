package filters

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// FlatMap makes any number of messages of each, in the order of the slice. The
// ids of the results count on it to be the same on every attempt.
func FlatMap[In, Out any](f func(context.Context, In) ([]Out, error)) pipeline.Filter[In, Out] {
	return flatMapFilter[In, Out](f)
}

type flatMapFilter[In, Out any] func(context.Context, In) ([]Out, error)

func (f flatMapFilter[In, Out]) Filter(ctx context.Context, m *pipeline.Message[In], out *pipeline.Emitter[Out]) error {
	vs, err := f(ctx, m.Body)
	if err != nil {
		return err
	}
	for _, v := range vs {
		out.Emit(v)
	}
	return nil
}
