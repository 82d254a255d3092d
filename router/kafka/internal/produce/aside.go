package produce

import "context"

// aside runs a call that knows no context, as sarama's look-ups, and returns
// early when ctx ends or the producer is cut off. The call is left behind then;
// running tells that it was. A call that hangs ends with the client it hangs in.
func aside[T any](ctx context.Context, cut <-chan struct{}, call func() (T, error)) (value T, running bool, err error) {
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
		return value, true, errCut
	}
}
