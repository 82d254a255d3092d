package sinks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// BatchError is the error of a [Batch] function that could do some messages and not
// others: it maps the index of each message that failed to its error, which may be
// a [pipeline.Reject] or [pipeline.RetryAfter]. The messages without an error in it
// are done; so an empty one fails none.
//
// It is returned as it is. Wrapped in another error, or joined with one, it fails
// all of the batch.
//
// It has no Unwrap on purpose: the verdict on one message must not be read as that
// on a whole batch.
type BatchError map[int]error

// Error tells how many failed, and why the first few of them did.
func (e BatchError) Error() string {
	var reasons []string
	for _, i := range slices.Sorted(maps.Keys(e)) {
		if e[i] != nil {
			reasons = append(reasons, fmt.Sprintf("message %d: %v", i, e[i]))
		}
	}
	count := len(reasons)
	if count > maxReasons {
		reasons = append(reasons[:maxReasons], fmt.Sprintf("and %d more", count-maxReasons))
	}
	return fmt.Sprintf("%d of the batch failed: %s", count, strings.Join(reasons, "; "))
}

const maxReasons = 3
