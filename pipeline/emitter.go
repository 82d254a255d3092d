package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"github.com/penstock/penstock/schemas"
)

// Emitter takes what a filter makes of one message. It is good until the filter
// returns, and for one goroutine at a time.
//
// What cannot be encoded is kept and fails the message when the filter returns,
// so that no call needs a check.
type Emitter[T any] struct {
	spec *pipeSpec[T]
	call *callState
}

// EmitOption is an option of one emitted message.
type EmitOption func(*emission)

type emission struct {
	out *Output
	err error
}

// WithID names a message. Defaults to an id derived from the parent's id, the
// stage and the index among the parent's outputs, which is the same on every
// attempt as long as the filter emits the same sequence. A filter that does not
// must name its messages itself.
func WithID(id string) EmitOption {
	return func(e *emission) {
		if id == "" {
			e.err = errors.New("WithID: the id is empty")
			return
		}
		e.out.ID = id
		if err := e.out.validate(); err != nil {
			e.err = fmt.Errorf("WithID: %w", err)
		}
	}
}

// WithHeader adds a header. The names that carry the envelope are taken.
func WithHeader(name string, value []byte) EmitOption {
	return func(e *emission) {
		if schemas.IsReserved(name) {
			e.err = fmt.Errorf("WithHeader: header %s belongs to the envelope; use another name", name)
			return
		}
		// Clip: the list may be the parent's own.
		e.out.Headers = append(slices.Clip(e.out.Headers), schemas.Header{Name: name, Value: value})
	}
}

// Emit puts v into the stage's pipe.
func (e *Emitter[T]) Emit(v T, opts ...EmitOption) { emit(e.call, e.spec, v, opts) }

// Forward emits m unchanged, with its headers and its sequence, and without
// encoding it again where both pipes have the same codec. A change of m.Body is
// not seen: Emit that.
func Forward[T any](e *Emitter[T], m *Message[T], opts ...EmitOption) {
	forward(e.call, e.spec, m, opts)
}

// EmitTo puts v into a pipe other than the stage's own. The filter must name it
// among its Outlets.
func EmitTo[T, Own any](e *Emitter[Own], p Pipe[T], v T, opts ...EmitOption) {
	c := e.call
	c.mustBeLive()
	if len(p.specs) != 1 || !slices.Contains(c.outlets, p.specs[0].node) {
		c.fail(errors.New("EmitTo: the pipe is not among the filter's Outlets"))
		return
	}
	emit(c, p.specs[0], v, opts)
}

func emit[T any](c *callState, s *pipeSpec[T], v T, opts []EmitOption) {
	c.mustBeLive()
	if s == nil || c.err != nil { // a sink has no pipe
		return
	}
	value, err := s.codec.Encode(v)
	if err != nil {
		c.err = codecError(fmt.Errorf("pipe %s: %w", s.node.Name, err))
		return
	}
	c.emitted(s.add(c, c.d, v, value), opts)
}

func forward[T any](c *callState, s *pipeSpec[T], m *Message[T], opts []EmitOption) {
	c.mustBeLive()
	if s == nil || c.err != nil {
		return
	}
	value := m.Value
	if m.codec != any(s.codec) {
		var err error
		if value, err = s.codec.Encode(m.Body); err != nil {
			c.err = codecError(fmt.Errorf("pipe %s: %w", s.node.Name, err))
			return
		}
	}
	o := s.add(c, m.Delivery, m.Body, value)
	o.Sequence, o.Headers = m.Sequence, m.Headers
	c.emitted(o, opts)
}

// add adds an output. It is filled where it lies: a copy of all that it may carry
// would cost more than what it usually does.
func (s *pipeSpec[T]) add(c *callState, d *Delivery, v T, value []byte) *Output {
	key, hasKey := d.Key, d.HasKey
	if s.key != nil {
		key, hasKey = s.key(v), true
	}
	o := c.outs.add()
	o.Pipe, o.Key, o.HasKey, o.Value = s.node, key, hasKey, value
	return o
}
