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

// callState is what a filter's context, message and emitter share: one
// allocation a call. It is not pooled, because filters keep messages and
// contexts.
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

func (c *callState) put(o Output, opts []EmitOption) {
	c.outs.List = append(c.outs.List, o)
	if len(opts) == 0 {
		return
	}
	e := emission{out: &c.outs.List[len(c.outs.List)-1]}
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

func newCall[In, Out any](ctx context.Context, d *Delivery, outs *Outputs, outlets []*PipeNode, out *pipeSpec[Out]) *call[In, Out] {
	c := &call[In, Out]{state: callState{Context: ctx, d: d, outs: outs, outlets: outlets}}
	c.msg.Delivery = d
	c.out = Emitter[Out]{spec: out, call: &c.state}
	return c
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
		c := newCall[In](ctx, d, outs, outlets, out)
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
