package attempt

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// BatchFunc calls a filter once on several deliveries. outs and errs are as long as
// ds: outs[i] takes what is made of ds[i], and errs[i] is set to its error or nil.
// Nothing is in outs[i], which was empty, where errs[i] is not nil.
type BatchFunc func(ctx context.Context, ds []*pipeline.Delivery, outs []*pipeline.Outputs, errs []error)

// NewBatch composes what stands around one call of a filter that takes batches. A
// panic or a time-out fails all messages of the batch.
func NewBatch(node *pipeline.StageNode, call pipeline.BatchCall) BatchFunc {
	limit := node.Timeout
	guarded := func(ctx context.Context, ds []*pipeline.Delivery, outs []*pipeline.Outputs, errs []error) (err error) {
		defer func() { err = AfterPanic(recover(), err) }()
		run := func(ctx context.Context) error {
			call(ctx, ds, outs, errs)
			return nil
		}
		if limit > 0 {
			return Within(ctx, limit, run)
		}
		return run(ctx)
	}
	return func(ctx context.Context, ds []*pipeline.Delivery, outs []*pipeline.Outputs, errs []error) {
		err := guarded(ctx, ds, outs, errs)
		if err == nil {
			return
		}
		for i := range errs {
			outs[i].Reset()
			errs[i] = err
		}
	}
}
