package attempt

import (
	"time"

	"github.com/penstock/penstock/pipeline"
)

// Fate is what becomes of a message after an attempt that counts.
type Fate int

// What becomes of it.
const (
	Done   Fate = iota // it is at its end: its outputs count, or it is skipped
	Retry              // it is tried again after a wait
	Park               // the same, and it waits in the retry log
	Poison             // nothing is tried any more
)

// After is the fate of a message of a stage after so many attempts, the last one
// included, as the verdict on that says. wait is what its error asked for, below 0
// where it did not say; then it is the stage's backoff, as vary spreads it. So a runner
// for tests decides as the real one does.
func After(node *pipeline.StageNode, attempts int, verdict pipeline.Verdict, wait time.Duration, vary func(time.Duration) time.Duration) (Fate, time.Duration) {
	switch verdict {
	case pipeline.Done, pipeline.Skipped:
		return Done, 0
	case pipeline.Rejected:
		return Poison, 0
	case pipeline.Again:
	}
	fate, backoff, n := Retry, node.Backoff, attempts
	switch {
	case attempts >= node.Attempts+node.Parks:
		return Poison, 0
	case attempts >= node.Attempts:
		fate, backoff, n = Park, node.ParkBackoff, attempts-node.Attempts+1
	}
	if wait < 0 {
		wait = vary(backoff.Delay(n))
	}
	return fate, wait
}
