package router

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// failure is what has gone wrong with a message so far.
type failure struct {
	first, last error
	since       time.Time // of the first
	attempts    int
	unknown     int // attempts that do not count: see judge

	parked *parking.Entry // nil: it is not
}

func (f *failure) note(err error) {
	f.last = err
	if f.first == nil {
		f.first = err
		f.since = time.Now()
	}
}

// refused notes that an output was refused for its size, or for the topic outside
// that it was to go to, if that is what err says.
func (f *failure) refused(err error) bool {
	if err == nil {
		return false
	}
	_, large := errors.AsType[*kafka.TooLargeError](err)
	if _, outside := errors.AsType[*outsideError](err); !large && !outside {
		return false
	}
	f.first = nil // what failed before is no part of it
	f.note(err)
	return true
}

// outcome is what an attempt led to.
type outcome int

const (
	succeeded outcome = iota // or skipped: the outputs count
	failed                   // for good
	again                    // after a wait
	aside                    // parked, for at least the wait
	ended                    // the claim did, and nothing counts
	displaced                // it was to make way: parked, and nothing counts
)

// step calls the filter once more, when the stage's breaker lets it. What has
// failed so far is in f. It ended when the claim did first, and was displaced when
// only ctx, which is of the claim, did: that is no failure of the message, whatever
// the filter returned, and no attempt counts. Where it is to be done again and f has
// no attempt more than before, the breaker holds it, or the codec cannot read it yet.
func (s *stage) step(ctx context.Context, at *activity, claim *kafka.Claim, d *pipeline.Delivery, call attempt.Func, out *pipeline.Outputs, f *failure) (o outcome, wait time.Duration) {
	t, o, wait := s.mayTry(at, claim)
	if o != succeeded {
		return o, wait
	}
	alone, o, wait := s.mayBegin(at, claim, d.Offset, f)
	if o != succeeded {
		s.breaker.ended(t)
		return o, wait
	}
	defer func() { alone.end(o == succeeded || o == failed) }()
	out.Reset()
	d.Attempt = f.attempts + 1
	err := call(ctx, d, out)
	if err != nil && ctx.Err() != nil {
		s.breaker.ended(t)
		if claim.Context().Err() == nil {
			return displaced, 0
		}
		return ended, 0
	}
	verdict, wait := pipeline.Judge(err)
	if held, next := s.breaker.told(t, verdict, err); held {
		f.note(err)
		s.logPanic(d, err)
		return again, s.heldFor(next, wait, f)
	}
	return s.judge(d, err, verdict, wait, f)
}

// judge says what becomes of a message after an attempt. It counts, unless the codec
// could not be asked what the message is: then all that comes with its schema waits, as
// when a breaker is open, and whoever is down is asked less and less often.
func (s *stage) judge(d *pipeline.Delivery, err error, verdict pipeline.Verdict, wait time.Duration, f *failure) (outcome, time.Duration) {
	if verdict == pipeline.Again && errors.Is(err, schemas.ErrUnavailable) {
		f.note(err)
		f.unknown++
		s.log.Debug("waiting for what the codec needs", "id", d.ID, "error", err)
		return again, min(max(jitter(s.node.Backoff.Delay(f.unknown)), leastUnknownWait), s.longestHold())
	}
	f.attempts++
	fate, wait := attempt.After(s.node, f.attempts, verdict, wait, jitter)
	if fate == attempt.Done {
		s.succeed()
		if verdict == pipeline.Skipped {
			s.stats.skipped.Add(1)
			s.log.Debug("skipped", "id", d.ID, "reason", err)
		}
		return succeeded, 0
	}
	f.note(err)
	s.logPanic(d, err)
	if fate == attempt.Poison {
		return failed, 0
	}
	s.stats.retried.Add(1)
	if fate == attempt.Park {
		s.log.Debug("parking", "id", d.ID, "attempt", f.attempts, "for", wait, "error", err)
		return aside, wait
	}
	if wait > s.longestHold() {
		return aside, wait
	}
	s.log.Debug("trying again", "id", d.ID, "attempt", f.attempts, "after", wait, "error", err)
	return again, wait
}

// leastUnknownWait is how long a message waits at least that the codec cannot read yet.
const leastUnknownWait = 50 * time.Millisecond

// longestHold is the longest wait that a message spends where it is: it counts as
// in flight there, and keeps the offset from being committed. A longer one it
// spends in the retry log. Where the stage is exactly once all outputs of its
// partition wait with it.
const (
	longestHold        = 10 * time.Second
	longestHoldExactly = time.Second
)

func (s *stage) longestHold() time.Duration {
	if s.node.ExactlyOnce {
		return longestHoldExactly
	}
	return longestHold
}

// anew is a delivery for the next attempt: the filter may have kept the last.
func anew(d *pipeline.Delivery) *pipeline.Delivery {
	next := *d
	return &next
}

func (s *stage) logPanic(d *pipeline.Delivery, err error) {
	if p, panicked := errors.AsType[*attempt.PanicError](err); panicked {
		s.log.Error("the filter panicked", "id", d.ID, "topic", d.Topic, "partition", d.Partition, "offset", d.Offset, "panic", p.Value, "stack", string(p.Stack))
	}
}

// jitter is between half of d and all of it, evenly spread, so that messages
// that failed together are not tried together.
func jitter(d time.Duration) time.Duration {
	if d <= 1 {
		return d
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // spreads load, no secret
}

// pause waits, unless the claim ends.
func pause(claim *kafka.Claim, d time.Duration) bool {
	if d <= 0 {
		select {
		case <-claim.Draining():
			return false
		default:
			return true
		}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-claim.Draining():
		return false
	}
}
