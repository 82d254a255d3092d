package pipeline

import (
	"errors"
	"fmt"
	"time"
)

// ErrSkip drops a message and counts it. Wrap it with %w to give a reason.
var ErrSkip = errors.New("skip")

// Reject marks err: the message cannot succeed, and is poisoned without another
// attempt. Reject(nil) is nil.
func Reject(err error) error {
	if err == nil {
		return nil
	}
	return &rejectError{err}
}

type rejectError struct{ err error }

func (e *rejectError) Error() string { return e.err.Error() }
func (e *rejectError) Unwrap() error { return e.err }

// RetryAfter marks err: the next attempt, if one is left, begins d later, in
// place of what the stage's backoff says. A d below 0 is 0. RetryAfter(d, nil) is
// nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err: err, wait: max(d, 0)}
}

type retryAfterError struct {
	err  error
	wait time.Duration
}

func (e *retryAfterError) Error() string {
	return fmt.Sprintf("%v (try again after %v)", e.err, e.wait)
}
func (e *retryAfterError) Unwrap() error { return e.err }

// Verdict is what becomes of a message after an attempt.
type Verdict int

const (
	// Done means that the filter returned nil.
	Done Verdict = iota
	// Skipped means that the message is dropped and counted.
	Skipped
	// Again means that the message is tried again while attempts are left.
	Again
	// Rejected means that the message is poisoned at once.
	Rejected
)

// String is one word.
func (v Verdict) String() string {
	switch v {
	case Done:
		return "done"
	case Skipped:
		return "skipped"
	case Again:
		return "again"
	case Rejected:
		return "rejected"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// Judge reads a filter's error, however deep it is wrapped. Where several marks
// are joined, Reject wins over ErrSkip and that over RetryAfter. The wait is
// below 0 where the error names none: then the stage's backoff says how long.
func Judge(err error) (v Verdict, wait time.Duration) {
	if err == nil {
		return Done, -1 // before what errors.As makes escape to the heap
	}
	var (
		reject *rejectError
		after  *retryAfterError
	)
	switch {
	case errors.As(err, &reject):
		return Rejected, -1
	case errors.Is(err, ErrSkip):
		return Skipped, -1
	case errors.As(err, &after):
		return Again, after.wait
	}
	return Again, -1
}
