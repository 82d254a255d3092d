package router

import "time"

// BreakerState says whether a stage's breaker lets attempts through.
type BreakerState string

const (
	// BreakerNone means that the stage has no breaker.
	BreakerNone BreakerState = ""
	// BreakerClosed means that attempts are made as usual.
	BreakerClosed BreakerState = "closed"
	// BreakerOpen means that attempts wait for the next probe.
	BreakerOpen BreakerState = "open"
	// BreakerProbing means that one attempt is under way and the others wait for
	// what comes of it.
	BreakerProbing BreakerState = "probing"
)

// BreakerStatus is how a stage's breaker is.
type BreakerStatus struct {
	State  BreakerState
	Opened int64 // how often it has opened in this process

	// The rest is for one that is not closed.

	Since        time.Time // when it opened
	FailedProbes int       // since then
	Next         time.Time // when the next probe may begin
	Cause        error     // the last failure
}

func (b *breaker) status() BreakerStatus {
	if b == nil {
		return BreakerStatus{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.word.Load()
	s := BreakerStatus{State: BreakerClosed, Opened: int64((w + 1) / 2)}
	if isClosed(w) {
		return s
	}
	s.State, s.Since, s.FailedProbes, s.Next, s.Cause = BreakerOpen, b.since, b.probes, b.next, b.cause
	if b.probing {
		s.State = BreakerProbing
	}
	return s
}
