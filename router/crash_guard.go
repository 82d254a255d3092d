package router

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// guard finds the message that takes the process down, of one claim. See history for
// what it goes by, and stage.mayBegin for what it does with each message. It is safe
// for concurrent use.
type guard struct {
	stage  *stage
	claim  *kafka.Claim
	meta   *metadata
	limits crashLimits
	log    *slog.Logger

	mu     sync.Mutex
	was    history // what the claim began with
	h      history
	index  *parking.Index            // nil: nothing can be parked
	parked map[suspect]parking.Entry // attempts at them had begun when the last owner ended
	wary   bool                      // it is one of those that solitude counts
	opened bool                      // that an owner is at work is committed
	told   map[suspect]bool          // that are held, in the log
	since  time.Time                 // it has been out of normal flow
}

// newGuard takes up the history of the claim.
func newGuard(s *stage, claim *kafka.Claim, meta *metadata) (*guard, error) {
	cfg := s.router.cfg
	g := &guard{
		stage: s, claim: claim, meta: meta,
		limits: crashLimits{before: cfg.CrashesBeforeAlone, alone: cfg.CrashesAlone},
		log:    s.log.With("topic", claim.Topic(), "partition", claim.Partition()),
		parked: map[suspect]parking.Entry{}, told: map[suspect]bool{}, since: time.Now(),
	}
	g.was = meta.read().Crashes
	g.h = g.was.taken(s.router.id, claim.Start(), g.limits)
	if g.h.flow(g.limits) == flowNormal && g.h.bounded(g.limits) {
		g.h.Begun += boundLength // so that the first batch does not wait for a commit
	}
	err := g.write()
	return g, err
}

// suspectParked takes up what is parked, nil where nothing can be: of that the attempts
// may have been under way that had begun.
func (g *guard) suspectParked(index *parking.Index) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index = index
	if index == nil || g.h.quiet() {
		return nil
	}
	for _, l := range index.Snapshot().Live {
		if l.Starts > 0 {
			g.parked[g.suspect(l.Entry)] = l.Entry
		}
	}
	return g.write()
}

// tellEnd tells of the last owner's end, unless that was in order.
func (g *guard) tellEnd() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.h.Ends <= g.was.Ends {
		return
	}
	g.log.Warn("the last owner of the partition has ended without a word: it crashed, was killed, or was taken for dead",
		"times", g.h.Ends, "flow", g.h.flow(g.limits).String(), "from", g.claim.Start(), "until", g.h.Until, "parked", len(g.parked))
	if at := g.was.At; at != nil {
		g.log.Warn("a message was alone at work when the process ended", "offset", at.Offset, "of", at.Topic, "times", g.h.endsOf(*at))
	}
}

func (g *guard) suspect(e parking.Entry) suspect { return suspectOf(g.claim.TopicID(), e) }

// write has the history go with each commit. The caller holds the lock, or is alone.
func (g *guard) write() error {
	if wary := g.h.flow(g.limits) != flowNormal || len(g.h.Alone) > 0 || len(g.parked) > 0; wary != g.wary {
		g.wary = wary
		if wary {
			g.stage.router.solitude.wary.Add(1)
		} else {
			g.stage.router.solitude.wary.Add(-1)
		}
	}
	return g.meta.change(func(at *position) { at.Crashes = g.h })
}

// commit commits what f changes of the history, before it returns.
func (g *guard) commit(ctx context.Context, f func(*history)) error {
	g.mu.Lock()
	f(&g.h)
	err := g.write()
	g.mu.Unlock()
	if err != nil {
		return err
	}
	return g.claim.Commit(ctx)
}

// open commits that an owner is at work, once and before it is.
func (g *guard) open(ctx context.Context) error {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	if opened {
		return nil
	}
	if err := g.claim.Commit(ctx); err != nil {
		return err
	}
	g.mu.Lock()
	g.opened = true
	g.mu.Unlock()
	return nil
}

// release ends the history of the claim in an orderly way.
func (g *guard) release(stopped bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wary {
		g.wary = false
		g.stage.router.solitude.wary.Add(-1)
	}
	g.h = g.h.released(stopped, g.stage.proven.Load(), g.limits)
	released := g.h
	if err := g.meta.change(func(at *position) { at.Crashes = released }); err != nil {
		g.log.Error("the next owner is going to take the end of this one for a crash", "error", err)
	}
}

// flow is how messages are to be taken up.
func (g *guard) flow() flow {
	g.mu.Lock()
	own := g.h.flow(g.limits)
	g.mu.Unlock()
	if own != flowAlone && g.stage.doubtful() {
		return flowAlone
	}
	return own
}

// pass looks whether the suspects are through: then messages are taken up as always
// again. An error means that the claim is over.
func (g *guard) pass(ctx context.Context) error {
	g.mu.Lock()
	if g.h.Ends == 0 {
		g.mu.Unlock()
		return nil
	}
	before := g.h.flow(g.limits)
	p := g.claim.Progress()
	if p.End > 0 { // 0: not known yet. What came later than the crash had no part in it
		g.h.Until = min(g.h.Until, p.End)
	}
	for s, e := range g.parked {
		if !g.index.IsLive(e) { // it has ended by somebody's hand
			delete(g.parked, s)
		}
	}
	passed := len(g.parked) == 0 && g.h.passed(p.Done)
	g.mu.Unlock()
	if !passed {
		return nil
	}
	if before == flowNormal {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.write()
	}
	// It is committed before anything else is begun: that would not be a suspect.
	if err := g.commit(ctx, func(*history) {}); err != nil {
		return err
	}
	g.log.Info("all that may have been at work when the last owners ended is through; on as always")
	return nil
}

// judge says what is to be done with a message whose turn has come.
func (g *guard) judge(s suspect) (verdict, int) {
	held, suspected := g.stage.held(), g.flow() == flowAlone
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.h.judge(s, suspected, g.stage.proven.Load(), held, g.limits), g.h.endsOf(s)
}

// mark commits that a message is about to be alone at work.
func (g *guard) mark(ctx context.Context, s suspect, parked bool) error {
	return g.commit(ctx, func(h *history) {
		h.At = &s
		if !parked {
			h.Begun = max(h.Begun, s.Offset+1)
			h.Until = max(h.Until, h.Begun)
		}
	})
}

// survived commits that the process has survived the message. Where that is at its end
// nothing more is remembered of it.
func (g *guard) survived(ctx context.Context, s suspect, atItsEnd bool) error {
	err := g.commit(ctx, func(h *history) {
		h.At = nil
		delete(g.parked, s)
		if atItsEnd {
			h.forget(s)
		} else {
			h.watch(s)
		}
	})
	if err == nil {
		err = g.pass(ctx)
	}
	return err
}

// watch is an attempt at a message that need not be alone: nil unless it is suspect.
func (g *guard) watch(s suspect) *watched {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, parked := g.parked[s]; !parked {
		return nil
	}
	return &watched{guard: g, who: s}
}

// tried takes down that the process has survived a parked message, beside others.
func (g *guard) tried(s suspect) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.parked, s)
}

// forget clears a message that is poisoned. It need not be known at once.
func (g *guard) forget(s suspect) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.h.forget(s)
	delete(g.parked, s)
	return g.write()
}

// holds tells of a message that is held, once.
func (g *guard) holds(s suspect, ends int) {
	g.mu.Lock()
	first := !g.told[s]
	g.told[s] = true
	g.mu.Unlock()
	if first {
		g.log.Error("the process ended while this message was alone at work, and no other message has succeeded since this one started: it is held, in case it is not the message's fault", "offset", s.Offset, "of", s.Topic, "times", ends)
	}
}

// doubtful tells whether a claim of the stage has suspects run alone, and nothing has
// succeeded in this process: then any message of the stage may be one that ends it.
func (s *stage) doubtful() bool {
	if s.proven.Load() || s.router.solitude.wary.Load() == 0 {
		return false
	}
	for _, g := range s.allGuards() {
		g.mu.Lock()
		alone := g.h.flow(g.limits) == flowAlone
		g.mu.Unlock()
		if alone {
			return true
		}
	}
	return false
}

// held is how many messages of the stage are, because of how processes ended.
func (s *stage) held() (n int) {
	for _, g := range s.allGuards() {
		g.mu.Lock()
		n += g.h.held(g.limits)
		g.mu.Unlock()
	}
	return n
}
