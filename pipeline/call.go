package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// Call runs a filter on one delivery and appends what it makes. With an error it
// appends nothing. It panics where the filter does; what is in out then is to be
// discarded. It may be called from many goroutines at once, with an out each.
type Call func(ctx context.Context, d *Delivery, out *Outputs) error

// callState is what a filter's context, message and emitter share. It is not
// pooled, because filters keep messages and contexts.
type callState struct {
	context.Context
	d       *Delivery
	outs    *Outputs // nil once the filter has returned
	outlets []*PipeNode
	err     error
}

// Value makes the delivery known to contexts made from this one.
func (c *callState) Value(key any) any {
	if _, ok := key.(deliveryKey); ok {
		return c.d
	}
	return c.Context.Value(key)
}

// mustBeLive panics for an emitter that was kept: what it emits could only be
// lost, or end up among another message's outputs.
func (c *callState) mustBeLive() {
	if c.outs == nil {
		panic("pipeline: Emit after the filter returned")
	}
}

// fail keeps the first error. Trying again would meet it again.
func (c *callState) fail(err error) {
	if c.err == nil {
		c.err = Reject(err)
	}
}

// emitted applies the options to the output that was added last.
func (c *callState) emitted(o *Output, opts []EmitOption) {
	if len(opts) == 0 {
		return
	}
	e := emission{out: o}
	for _, opt := range opts {
		opt(&e)
	}
	if e.err != nil {
		c.fail(e.err)
	}
}

// end closes the emitter and takes back what a failed message emitted.
func (c *callState) end(base int, err error) error {
	if err == nil {
		err = c.err
	}
	if err != nil {
		c.outs.truncate(base)
	}
	c.outs = nil
	return err
}

// codecError rejects what a codec refused, unless nothing is known about it yet.
func codecError(err error) error {
	if errors.Is(err, schemas.ErrUnavailable) {
		return err
	}
	return Reject(err)
}

// call is all that one call of a filter needs.
type call[In, Out any] struct {
	state callState
	msg   Message[In]
	out   Emitter[Out]
}

func (c *call[In, Out]) begin(ctx context.Context, d *Delivery, outs *Outputs, outlets []*PipeNode, out *pipeSpec[Out]) {
	// Field by field: to copy a whole struct to where pointers live costs more
	// while the collector is at work.
	c.state.Context = ctx //nolint:fatcontext // of this call alone
	c.state.d, c.state.outs, c.state.outlets = d, outs, outlets
	c.msg.Delivery = d
	c.out.spec, c.out.call = out, &c.state
}

// maxCalls is how many calls share an allocation at most. A filter that keeps one
// message keeps them all.
const maxCalls = 32

// nextCall returns a call that was never used. The calls lie in slabs that belong
// to the outputs, each twice as large as the one before, so that one who calls
// seldom pays for little. A slab is used up, not used again: filters keep what
// they get.
func nextCall[In, Out any](outs *Outputs) *call[In, Out] {
	slab, ok := outs.calls.(*callSlab[In, Out])
	if !ok {
		slab = &callSlab[In, Out]{}
		outs.calls = slab
	}
	if len(slab.free) == 0 {
		slab.size = min(max(1, 2*slab.size), maxCalls)
		slab.free = make([]call[In, Out], slab.size)
	}
	c := &slab.free[0]
	slab.free = slab.free[1:]
	return c
}

type callSlab[In, Out any] struct {
	free []call[In, Out]
	size int
}

// makeCall binds f to one input and the output of its stage; out is nil for a
// sink.
func makeCall[In, Out any](in *pipeSpec[In], out *pipeSpec[Out], outlets []*PipeNode, f Filter[In, Out]) Call {
	if r, ok := any(f).(RawFilter); ok {
		var node *PipeNode
		if out != nil {
			node = out.node
		}
		return makeRawCall(node, r)
	}
	codec := any(in.codec)
	return func(ctx context.Context, d *Delivery, outs *Outputs) error {
		v, err := in.decode(ctx, d.Value)
		if err != nil {
			return err
		}
		d.codec = codec
		c := nextCall[In, Out](outs)
		c.begin(ctx, d, outs, outlets, out)
		c.msg.Body = v
		base := len(outs.List)
		return c.state.end(base, f.Filter(&c.state, &c.msg, &c.out)) //nolint:contextcheck // callState wraps ctx
	}
}

func makeRawCall(out *PipeNode, f RawFilter) Call {
	return func(ctx context.Context, d *Delivery, outs *Outputs) error {
		made, err := f.FilterRaw(&callState{Context: ctx, d: d}, d) //nolint:contextcheck // callState wraps ctx
		if err != nil {
			return err
		}
		if out == nil && len(made) > 0 {
			return Reject(fmt.Errorf("the filter made %d messages, but a sink has no pipe for them", len(made)))
		}
		for i := range made {
			if err := made[i].validate(); err != nil {
				return Reject(fmt.Errorf("output %d of %d: %w", i+1, len(made), err))
			}
			made[i].Pipe = out
		}
		outs.List = append(outs.List, made...)
		return nil
	}
}
