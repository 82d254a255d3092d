package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
)

// restartBackoff is the waits before what failed is begun again. What had worked
// for longer than the longest begins with the first again.
var restartBackoff = pipeline.Exponential(restartFirst, restartLongest)

const (
	restartFirst   = 250 * time.Millisecond
	restartLongest = 30 * time.Second
)

// keepTrying calls f until it returns nil, or an error that is final, or ctx
// ends, which is no error. What goes wrong is logged with what it is and when it
// is tried next, and shown by state.
func keepTrying(ctx context.Context, log *slog.Logger, state *lifecycle, what string, f func(context.Context) error) error {
	for failures := 1; ; failures++ {
		begun := time.Now()
		err := guarded(ctx, f)
		if err == nil || ctx.Err() != nil {
			return nil //nolint:nilerr // being stopped is no failure
		}
		if _, final := errors.AsType[*finalError](err); final {
			return err
		}
		if time.Since(begun) > restartLongest {
			failures = 1
		}
		wait := jitter(restartBackoff.Delay(failures))
		state.failed(err, time.Now().Add(wait))
		log.Error("something failed; trying again", "what", what, "error", err, "failures", failures, "after", wait)
		if !sleep(wait, nil, ctx.Done()) {
			return nil
		}
		state.set(StateStarting)
	}
}

// guarded makes an error of a panic.
func guarded(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() { err = attempt.AfterPanic(recover(), err) }()
	return f(ctx)
}

// finalError is one that trying again does not help against.
type finalError struct{ err error }

// Error implements error.
func (e *finalError) Error() string { return e.err.Error() }

// Unwrap returns what is final.
func (e *finalError) Unwrap() error { return e.err }

// opening wraps the error of an Open or of a hook. It is final where it is
// marked by pipeline.Reject.
func opening(what string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", what, err)
	if v, _ := pipeline.Judge(err); v == pipeline.Rejected {
		return &finalError{wrapped}
	}
	return wrapped
}
