package router

import (
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// untilStopped is the wait of a message that was refused a turn because its
// claim drains: longer than any drain, at the end of which it is parked with all
// that is behind it. Were it abandoned at once, a later one of its key could
// overtake it when the breaker closes meanwhile.
const untilStopped = 24 * time.Hour

// mayTry waits for a turn of the stage's breaker, if it has one. Without a turn
// the outcome is not succeeded: the message is to be held because its claim
// drains, or the claim has ended.
func (s *stage) mayTry(at *activity, claim *kafka.Claim) (t turn, o outcome, wait time.Duration) {
	if s.breaker == nil {
		return turn{}, succeeded, 0
	}
	if t, ok := s.breaker.pass(); ok {
		return t, succeeded, 0
	}
	r := at.record.Load()
	at.rest()
	t, ok := s.breaker.enter(claim.Draining())
	if !ok {
		return t, again, untilStopped
	}
	if !claim.MayFinish() { // it was a long wait
		s.breaker.ended(t)
		return t, ended, 0
	}
	at.begin(r, clock())
	return t, succeeded, 0
}

// heldFor is how long a message waits whose attempt did not count: until the
// next probe, so that another one may be it, unless it asks for longer.
func (s *stage) heldFor(next, wait time.Duration, f *failure) time.Duration {
	if next < 0 && wait < 0 {
		return jitter(s.node.Backoff.Delay(max(f.attempts, 1)))
	}
	return max(next, wait)
}

// told gives the turn of an attempt back. The message is held where the attempt
// does not count: see failed.
func (b *breaker) told(t turn, v pipeline.Verdict, err error) (held bool, next time.Duration) {
	if b == nil {
		return false, -1
	}
	if v != pipeline.Again { // done, skipped or rejected: the service answers
		b.succeeded(t)
		return false, -1
	}
	counts, next := b.failed(t, err)
	return !counts, next
}

// together is the verdict on a call of a batch: to be done again if all of its
// items are.
func together(errs []error) pipeline.Verdict {
	for _, err := range errs {
		if v, _ := pipeline.Judge(err); v != pipeline.Again {
			return pipeline.Done
		}
	}
	return pipeline.Again
}
