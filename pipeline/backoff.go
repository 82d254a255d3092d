package pipeline

import (
	"fmt"
	"time"
)

// Backoff says how long to wait before a message is tried again. The zero value
// does not wait. Two equal backoffs can be compared with ==.
//
// Delay is plain: the router adds the jitter. It waits between half the delay
// and all of it, evenly spread ("equal jitter"), so that messages that failed
// together are not tried together.
type Backoff struct {
	first, max time.Duration
	grows      bool
}

// Exponential waits first before the second attempt and twice as long before
// each later one, up to max.
func Exponential(first, max time.Duration) Backoff {
	return Backoff{first: first, max: max, grows: true}
}

// Constant waits d before each attempt after the first.
func Constant(d time.Duration) Backoff { return Backoff{first: d, max: d} }

// Delay is the wait after the given number of failed attempts, counted from 1,
// without jitter.
func (b Backoff) Delay(failed int) time.Duration {
	d := b.first
	if !b.grows {
		return d
	}
	for range failed - 1 {
		if d >= b.max-d { // twice d is max or more, and might not fit
			return b.max
		}
		d *= 2
	}
	return min(d, b.max)
}

// String names the kind and the bounds, as in "100ms to 5s".
func (b Backoff) String() string {
	switch {
	case b.grows:
		return fmt.Sprintf("%v to %v", b.first, b.max)
	case b.first == 0:
		return "no wait"
	default:
		return b.first.String()
	}
}

// wrong says what is wrong with the values, or "".
func (b Backoff) wrong() string {
	switch {
	case !b.grows && b.first < 0:
		return fmt.Sprintf("Constant(%v) is below 0", b.first)
	case b.grows && b.first <= 0:
		return fmt.Sprintf("Exponential(%v, %v) begins with nothing to double; make the first wait longer than 0", b.first, b.max)
	case b.grows && b.max < b.first:
		return fmt.Sprintf("Exponential(%v, %v) ends below where it begins; swap them", b.first, b.max)
	}
	return ""
}
