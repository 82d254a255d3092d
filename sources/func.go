package sources

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// Func makes a source of a function: see [pipeline.Sourcer] for what it must do
// and what its result means.
func Func[T any](f func(ctx context.Context, emit pipeline.Emit[T]) error, opts ...FuncOption) pipeline.Sourcer[T] {
	if f == nil {
		return nil // Build says where
	}
	s := &funcSource[T]{f: f}
	for _, opt := range opts {
		opt(&s.funcSettings)
	}
	return s
}

// FuncOption is an option of Func.
type FuncOption func(*funcSettings)

type funcSettings struct {
	finite, once bool
}

// Finite tells that the function returns nil by itself when all is put, so that a
// run that ends when all work is done waits for it. Defaults to a source that
// such a run does not wait for.
func Finite() FuncOption {
	return func(s *funcSettings) { s.finite = true }
}

// Once puts each trigger once, also over restarts: one whose ID was put before is
// left out. Each trigger must have an ID then. Defaults to putting what the
// function emits.
func Once() FuncOption {
	return func(s *funcSettings) { s.once = true }
}

type funcSource[T any] struct {
	f func(context.Context, pipeline.Emit[T]) error
	funcSettings
}

// Source calls the function.
func (s *funcSource[T]) Source(ctx context.Context, emit pipeline.Emit[T]) error {
	return s.f(ctx, emit)
}

// Finite implements pipeline.FiniteSource.
func (s *funcSource[T]) Finite() bool { return s.finite }

// Once implements pipeline.OnceSource.
func (s *funcSource[T]) Once() bool { return s.once }
