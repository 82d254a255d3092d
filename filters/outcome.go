package filters

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// Skip is the error that drops a message and counts it. Wrap it with %w to give
// a reason.
var Skip = pipeline.ErrSkip //nolint:errname // filters.Skip is what a filter returns, beside filters.Reject and filters.RetryAfter

// Reject marks err: the message cannot succeed, and is poisoned without another
// attempt. Reject(nil) is nil.
func Reject(err error) error { return pipeline.Reject(err) }

// Rejectf is Reject of fmt.Errorf.
func Rejectf(format string, args ...any) error { return pipeline.Reject(fmt.Errorf(format, args...)) }

// RetryAfter marks err: the next attempt, if one is left, begins d later, in
// place of what the stage's backoff says. RetryAfter(d, nil) is nil.
func RetryAfter(d time.Duration, err error) error { return pipeline.RetryAfter(d, err) }
