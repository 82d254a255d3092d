package router

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// failure is why a message cannot succeed. Without a last error it is none.
type failure struct {
	first, last error
	attempts    int
}

// try calls the filter until it has done the message, given it up, or used its
// attempts. It is not done when the claim ended first: that is no failure of
// the message, whatever the filter returned, and no attempt counts.
func (s *stage) try(claim *kafka.Claim, d *pipeline.Delivery, call attempt, out *pipeline.Outputs) (f failure, done bool) {
	for {
		out.Reset()
		f.attempts++
		d.Attempt = f.attempts
		err := call(claim.Context(), d, out)
		if err != nil && claim.Context().Err() != nil {
			return failure{}, false
		}
		verdict, wait := pipeline.Judge(err)
		switch verdict {
		case pipeline.Done:
			return failure{attempts: f.attempts}, true
		case pipeline.Skipped:
			s.stats.skipped.Add(1)
			s.log.Debug("skipped", "id", d.ID, "reason", err)
			return failure{attempts: f.attempts}, true
		case pipeline.Again, pipeline.Rejected:
		}
		f.last = err
		if f.first == nil {
			f.first = err
		}
		s.logPanic(d, err)
		if verdict == pipeline.Rejected || f.attempts >= s.node.Attempts {
			return f, true
		}
		s.stats.retried.Add(1)
		if wait < 0 {
			wait = jitter(s.node.Backoff.Delay(f.attempts))
		}
		s.log.Debug("trying again", "id", d.ID, "attempt", f.attempts, "after", wait, "error", err)
		if !pause(claim, wait) {
			return failure{}, false
		}
		// A new attempt gets a delivery of its own: the filter may have kept
		// the last one.
		again := *d
		d = &again
	}
}

func (s *stage) logPanic(d *pipeline.Delivery, err error) {
	if p, panicked := errors.AsType[*PanicError](err); panicked {
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
