// Package attempt calls a stage's filter once, as a runner of pipelines does: with
// the stage's time-out, the middleware of users around it, and a panic as an error.
package attempt

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// Func calls a filter once. What it makes is appended to out; with an error
// nothing is. It may be called from many goroutines at once, with an out each.
type Func func(ctx context.Context, d *pipeline.Delivery, out *pipeline.Outputs) error

// New composes what stands around one call of a stage's filter: recover, the
// time-out, the user's middleware. call is the node's for one of its inputs.
func New(node *pipeline.StageNode, call pipeline.Call) Func {
	inner := Func(call)
	if len(node.Middleware) > 0 {
		inner = throughMiddleware(node, call)
	}
	limit := node.Timeout
	return func(ctx context.Context, d *pipeline.Delivery, out *pipeline.Outputs) (err error) {
		defer func() { err = AfterPanic(recover(), err) }()
		if limit <= 0 {
			return inner(ctx, d, out)
		}
		return Within(ctx, limit, func(ctx context.Context) error { return inner(ctx, d, out) })
	}
}

// Within calls f with a context that ends after limit.
func Within(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the attempt took longer than %v", limit))
	defer cancel()
	err := f(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// PanicError is the error of a filter that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error. The stack is left to the log.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value where it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// AfterPanic is the error of a call that recovered v, or err where v is nil.
func AfterPanic(v any, err error) error {
	if v == nil {
		return err
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}
