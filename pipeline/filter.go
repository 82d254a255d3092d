package pipeline

import "context"

// Filter is a function over messages. It is called from many goroutines at once,
// with one message of a key at a time, in order.
//
// An error fails the message, and so does a panic: it is tried again, unless the
// error says otherwise (see [Judge]). What was emitted is discarded then.
type Filter[In, Out any] interface {
	Filter(ctx context.Context, m *Message[In], out *Emitter[Out]) error
}

// FilterFunc is a Filter as a function.
type FilterFunc[In, Out any] func(ctx context.Context, m *Message[In], out *Emitter[Out]) error

// Filter calls f.
func (f FilterFunc[In, Out]) Filter(ctx context.Context, m *Message[In], out *Emitter[Out]) error {
	return f(ctx, m, out)
}

// None is the output type of a filter that has no output: a sink's.
type None struct{}

// Opener is implemented by a filter or a source that has something to open
// before the first message and to close after the last. Open is called again
// after Close when what runs the filter starts anew.
//
// An Open that fails leaves nothing open. It is called again after a while, and
// the other stages and sources go on meanwhile, unless its error is marked by
// [Reject]: then the program ends.
type Opener interface {
	Open(ctx context.Context) error
	Close(ctx context.Context) error
}

// Outletter is implemented by a filter that emits to pipes other than its
// stage's own with [EmitTo]. Outlets is called once, when the stage is declared.
type Outletter interface {
	Outlets() []AnyPipe
}

// RawFilter is implemented by a filter that works on bytes. Its stage calls
// FilterRaw in place of Filter, and neither decodes nor encodes.
//
// Pipe of the returned outputs is set by the stage. Key and HasKey are not: copy
// them from the delivery to keep the message's order.
type RawFilter interface {
	FilterRaw(ctx context.Context, d *Delivery) ([]Output, error)
}
