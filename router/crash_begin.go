package router

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// CrashError is why a message is poisoned that took the process down.
type CrashError struct {
	// Times is how often a process ended while the message was alone at work.
	Times int
}

// Error implements error.
func (e *CrashError) Error() string {
	return fmt.Sprintf("the process ended while this message was alone at work, %d times", e.Times)
}

// holdAside is how long a message is parked that waits for another to succeed, and
// haltPoll how often one looks that may not begin.
const (
	holdAside = time.Second
	haltPoll  = 50 * time.Millisecond
)

// watched is an attempt at a suspect. Nil is one at any other message.
type watched struct {
	guard *guard
	who   suspect
	leave func() // nil: it is not alone
}

// mayBegin is asked before each attempt. Where the outcome is not succeeded it is not
// to be made, and the outcome says what becomes of the message instead. f is what is
// known of the message, offset where it stands in the input unless it is parked.
func (s *stage) mayBegin(at *activity, claim *kafka.Claim, offset int64, f *failure) (*watched, outcome, time.Duration) {
	if s.router.solitude.wary.Load() == 0 {
		return nil, succeeded, 0
	}
	g := s.guard(claim)
	if g == nil {
		return nil, ended, 0
	}
	who := suspect{Offset: offset}
	if f.parked != nil {
		who = g.suspect(*f.parked)
	}
	r := at.record.Load()
	for halted := false; ; {
		v, ends := g.judge(who)
		switch v {
		case begin:
			if !s.router.solitude.pass(at, claim.Draining()) {
				return nil, again, untilStopped
			}
			if !claim.MayFinish() { // it may have been a long wait
				return nil, ended, 0
			}
			return g.watch(who), succeeded, 0
		case beginAlone:
			return g.beginAlone(at, r, who, f.parked != nil)
		case holdIt:
			at.rest()
			g.holds(who, ends)
			return nil, aside, holdAside
		case condemn:
			f.attempts += ends
			f.note(&CrashError{Times: ends})
			if err := g.forget(who); err != nil {
				g.log.Error("a message that is poisoned stays suspect", "error", err)
			}
			return nil, failed, 0
		case halt:
			if !halted {
				g.log.Error("each of several messages has ended the process when it was alone at work, and none has succeeded since this one started: nothing is begun here any more. This looks like a mistake in the program and not in a message: stop it, and start one that is mended", "held", s.held())
			}
			halted = true
			at.rest()
			if !sleep(haltPoll, nil, claim.Draining()) {
				return nil, again, untilStopped
			}
			at.begin(r, clock())
		}
	}
}

// beginAlone waits for the message's turn to be alone, and commits that it has it.
func (g *guard) beginAlone(at *activity, r *kafka.Record, who suspect, parked bool) (*watched, outcome, time.Duration) {
	ctx := g.claim.Context()
	leave, ok := g.stage.router.solitude.enter(ctx, at, g.claim.Draining())
	if !ok {
		return nil, again, untilStopped
	}
	if !g.claim.MayFinish() || g.mark(ctx, who, parked) != nil {
		leave()
		return nil, ended, 0 // the error is the claim's end
	}
	at.begin(r, clock())
	return &watched{guard: g, who: who, leave: leave}, succeeded, 0
}

// end says that the attempt is over, and whether the message is at its end with it. It
// returns when it is committed that the message is not at work any more, and others may
// go on.
func (a *watched) end(atItsEnd bool) {
	switch {
	case a == nil:
		return
	case a.leave == nil:
		a.guard.tried(a.who)
		return
	}
	defer a.leave()
	err := a.guard.survived(a.guard.claim.Context(), a.who, atItsEnd)
	if err != nil && a.guard.claim.Context().Err() == nil {
		a.guard.claim.Fail(err)
	}
}

// succeed takes down that a message has: not every message ends the process.
func (s *stage) succeed() {
	if !s.proven.Load() {
		s.proven.Store(true)
	}
}
