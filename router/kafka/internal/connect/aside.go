package connect

import "context"

// Aside runs a call that knows no context, as sarama's are, and returns early
// when ctx ends, or with ErrCut when cut is closed, which may be nil. The call is
// left behind then; left tells that it was. It ends with the connections that it
// waits for.
func Aside[T any](ctx context.Context, cut <-chan struct{}, call func() (T, error)) (value T, left bool, err error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, false, r.err
	case <-ctx.Done():
		return value, true, context.Cause(ctx)
	case <-cut:
		return value, true, ErrCut
	}
}
