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
	first, longest time.Duration
	grows          bool
}

// Exponential waits first before the second attempt and twice as long before
// each later one, up to the longest.
func Exponential(first, longest time.Duration) Backoff {
	return Backoff{first: first, longest: longest, grows: true}
}

// Constant waits d before each attempt after the first.
func Constant(d time.Duration) Backoff { return Backoff{first: d} }

// Delay is the wait after the given number of failed attempts, counted from 1,
// without jitter.
func (b Backoff) Delay(failed int) time.Duration {
	d := b.first
	if !b.grows {
		return d
	}
	for range failed - 1 {
		if d >= b.longest-d { // twice d is the longest or more, and might not fit
			return b.longest
		}
		d *= 2
	}
	return min(d, b.longest)
}

// String names the kind and the bounds, as in "100ms to 5s".
func (b Backoff) String() string {
	switch {
	case b.grows:
		return fmt.Sprintf("%v to %v", b.first, b.longest)
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
		return fmt.Sprintf("Exponential(%v, %v) begins with nothing to double; make the first wait longer than 0", b.first, b.longest)
	case b.grows && b.longest < b.first:
		return fmt.Sprintf("Exponential(%v, %v) ends below where it begins; swap them", b.first, b.longest)
	}
	return ""
}
