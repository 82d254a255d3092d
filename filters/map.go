package filters

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// Map makes one message of each.
func Map[In, Out any](f func(context.Context, In) (Out, error)) pipeline.Filter[In, Out] {
	return mapFilter[In, Out](f)
}

type mapFilter[In, Out any] func(context.Context, In) (Out, error)

func (f mapFilter[In, Out]) Filter(ctx context.Context, m *pipeline.Message[In], out *pipeline.Emitter[Out]) error {
	v, err := f(ctx, m.Body)
	if err != nil {
		return err
	}
	out.Emit(v)
	return nil
}
