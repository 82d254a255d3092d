package filters

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// Func makes a filter of the general form: it sees the whole message and emits
// what it likes.
func Func[In, Out any](f func(context.Context, *pipeline.Message[In], *pipeline.Emitter[Out]) error) pipeline.Filter[In, Out] {
	return pipeline.FilterFunc[In, Out](f)
}
