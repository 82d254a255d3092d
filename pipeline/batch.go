package pipeline

import (
	"context"
	"time"
)

// BatchFilter is a filter that takes several messages at once. Its stage calls
// FilterBatch in place of Filter. The messages are of one partition and in order,
// and several may have the same key.
type BatchFilter[In, Out any] interface {
	Filter[In, Out]

	// Batch says how many messages a batch has at most, at least 1, and how long
	// to wait for more once there is one. It is called once, when the stage is
	// declared.
	Batch() (most int, wait time.Duration)

	// FilterBatch works on the items. An error fails all those that have not
	// failed by themselves; Item.Fail fails one.
	FilterBatch(ctx context.Context, items []Item[In, Out]) error
}

// Item is one message of a batch.
type Item[In, Out any] struct {
	*Message[In]

	// Out takes what is made of this message.
	Out *Emitter[Out]
}

// Fail fails this message only. The first error is kept; nil does nothing.
func (i Item[In, Out]) Fail(err error) {
	if i.Out.call.err == nil {
		i.Out.call.err = err
	}
}

// BatchNode is what a stage that takes batches has more than others.
type BatchNode struct {
	// Max bounds the messages of a batch, and Wait the time from its first
	// message on.
	Max  int
	Wait time.Duration

	// Calls[i] handles a batch from Inputs[i] of the stage.
	Calls []BatchCall
}

// BatchCall runs a filter on several deliveries. outs and errs are as long as
// ds: outs[i] takes what is made of ds[i], and errs[i] is set to its error or nil.
// Nothing is appended to outs[i] where errs[i] is not nil.
type BatchCall func(ctx context.Context, ds []*Delivery, outs []*Outputs, errs []error)

func makeBatchCall[In, Out any](in *pipeSpec[In], out *pipeSpec[Out], outlets []*PipeNode, f BatchFilter[In, Out]) BatchCall {
	codec := any(in.codec)
	return func(ctx context.Context, ds []*Delivery, outs []*Outputs, errs []error) {
		items := make([]Item[In, Out], 0, len(ds))
		at := make([]int, 0, len(ds)) // items[j] is ds[at[j]]
		bases := make([]int, len(ds))
		calls := make([]call[In, Out], len(ds))
		for i, d := range ds {
			v, err := in.decode(ctx, d.Value)
			if errs[i] = err; err != nil {
				continue
			}
			d.codec = codec
			c := &calls[i]
			c.begin(ctx, d, outs[i], outlets, out)
			c.msg.Body = v
			bases[i] = len(outs[i].List)
			items = append(items, Item[In, Out]{Message: &c.msg, Out: &c.out})
			at = append(at, i)
		}
		if len(items) == 0 {
			return
		}
		err := f.FilterBatch(ctx, items)
		for j, item := range items {
			c := item.Out.call
			if c.err == nil {
				c.err = err
			}
			errs[at[j]] = c.end(bases[at[j]], nil)
		}
	}
}
