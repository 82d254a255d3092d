package router

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// breaker keeps a stage from trying message after message on a service that is
// down: after some failures in a row, of whichever messages, attempts wait, and
// one at a time probes. One that succeeds lets all of them go on. There is one
// a stage a process; a nil one never opens. It is safe for concurrent use.
//
// Each attempt takes a turn and gives it back with what came of it. So an
// attempt that began before the breaker opened, and ends while a probe is under
// way, is not taken for the probe: neither its failure nor its success says
// how the service is now. (This is why it is no circuit breaker of a library:
// those that we looked at count results, not whose they are, and wait equally
// long before each probe.)
type breaker struct {
	failures int              // in a row, to open it
	probe    pipeline.Backoff // the waits before the probes
	log      *slog.Logger

	// word counts the times that it has opened or closed: it is closed while that
	// is even. A turn knows at which it was taken.
	word atomic.Uint64
	row  atomic.Int64 // failures since the last success; used while closed

	mu      sync.Mutex
	probing bool
	probes  int       // that failed since it opened
	next    time.Time // when a probe may begin
	since   time.Time // when it opened
	cause   error     // of the last failure
	changed chan struct{}
}

func newBreaker(failures int, probe pipeline.Backoff, log *slog.Logger) *breaker {
	return &breaker{failures: failures, probe: probe, log: log, changed: make(chan struct{})}
}

// turn is the right to one attempt.
type turn struct{ word uint64 }

func isClosed(word uint64) bool { return word%2 == 0 }

func (t turn) isProbe() bool { return !isClosed(t.word) }

// pass takes a turn where the breaker is closed, at the cost of one load.
func (b *breaker) pass() (t turn, ok bool) {
	t = turn{word: b.word.Load()}
	return t, isClosed(t.word)
}

// enter takes a turn. While the breaker is open it waits until the turn is the
// probe's, or the breaker has closed, or stop is closed: then there is none.
func (b *breaker) enter(stop <-chan struct{}) (t turn, ok bool) {
	for {
		t, wait, changed := b.ask()
		if wait < 0 {
			return t, true
		}
		if !sleep(wait, changed, stop) {
			return turn{}, false
		}
	}
}

// untilChanged is a wait that only a change ends: that of a probe that is under
// way.
const untilChanged = 365 * 24 * time.Hour

// ask takes a turn, or tells how long to wait for one; below 0 there is a turn.
func (b *breaker) ask() (t turn, wait time.Duration, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.word.Load()
	switch {
	case isClosed(w):
		return turn{word: w}, -1, nil
	case b.probing:
		return turn{}, untilChanged, b.changed
	}
	if wait = time.Until(b.next); wait > 0 {
		return turn{}, wait, b.changed
	}
	b.probing = true
	return turn{word: w}, -1, nil
}

// sleep waits until d is over or something has changed. It is false when stop is
// closed, also before.
func sleep(d time.Duration, changed, stop <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	case <-stop:
	}
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// succeeded gives a turn back: the service has answered, if only with a no.
func (b *breaker) succeeded(t turn) {
	if !t.isProbe() {
		if b.row.Load() != 0 && b.word.Load() == t.word {
			b.row.Store(0)
		}
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log.Info("the breaker has closed: an attempt succeeded", "open_for", time.Since(b.since).Round(time.Millisecond), "failed_probes", b.probes)
	b.row.Store(0)
	b.probing, b.probes, b.cause = false, 0, nil
	b.word.Store(t.word + 1)
	b.signal()
}

// failed gives a turn back. It tells whether the attempt counts as one of its
// message: not when it opened the breaker, or began before that and ended after,
// or was a probe. Then wait is how long the next probe is away, below 0 where
// the breaker does not say.
func (b *breaker) failed(t turn, err error) (counts bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case t.isProbe():
		b.probing, b.cause = false, err
		b.probes++
		b.schedule()
		b.log.Warn("the breaker stays open: the probe failed", "failed_probes", b.probes, "error", err, "next", b.next)
		b.signal()
	case b.word.Load() != t.word:
		if isClosed(b.word.Load()) {
			return false, -1 // it has opened and closed meanwhile
		}
	case b.row.Add(1) < int64(b.failures):
		return true, -1
	default:
		b.since, b.cause = time.Now(), err
		b.schedule()
		b.word.Store(t.word + 1)
		b.log.Error("the breaker has opened: attempts wait, and one at a time probes", "failures_in_a_row", b.failures, "error", err, "next", b.next)
	}
	return false, max(time.Until(b.next), 0)
}

// ended gives a turn back of an attempt that says nothing: the claim of its
// message was over. Another one may probe in its place.
func (b *breaker) ended(t turn) {
	if b == nil || !t.isProbe() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	b.signal()
}

// schedule says when the next probe may begin. The caller holds the lock.
func (b *breaker) schedule() { b.next = time.Now().Add(jitter(b.probe.Delay(b.probes + 1))) }

// signal wakes who waits. The caller holds the lock.
func (b *breaker) signal() {
	close(b.changed)
	b.changed = make(chan struct{})
}
