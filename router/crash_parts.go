package router

import (
	"context"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// How long a part of a batch is waited for, before the next one is begun although
// messages of this one wait for another attempt; and how often it is looked.
const (
	partPatience = time.Second
	partPoll     = 200 * time.Microsecond
	maxPartPoll  = 10 * time.Millisecond
)

// workOn hands a batch to the claim's worker: whole in normal flow, else in parts, so
// that little has been begun when the process ends.
func (s *stage) workOn(b *kafka.Batch, in *input) error {
	g := s.guard(b.Claim)
	if g == nil {
		b.Abandon(0)
		return nil
	}
	ctx := b.Claim.Context()
	w := s.worker(b.Claim)
	if err := g.open(ctx); err != nil {
		b.Abandon(0)
		return nil //nolint:nilerr // the claim has ended: it says why
	}
	for from := 0; from < len(b.Records); {
		n, err := g.part(ctx, b, from)
		if err != nil || n == 0 {
			b.Abandon(from)
			return nil //nolint:nilerr // as above
		}
		part := b
		if n < len(b.Records) {
			part = b.Part(from, from+n)
		}
		if err := w.work(part, in); err != nil {
			return err
		}
		from += n
		if from == len(b.Records) && s.router.solitude.wary.Load() > 0 {
			g.awaitBegun(ctx)
			_ = g.pass(ctx) // an error is the claim's end
		}
	}
	return nil
}

// part is how many records may be handed over now. It is 0 when the claim drains.
func (g *guard) part(ctx context.Context, b *kafka.Batch, from int) (int, error) {
	rest := len(b.Records) - from
	for waited := false; ; waited = true {
		if err := g.pass(ctx); err != nil {
			return 0, err
		}
		switch f := g.flow(); {
		case f == flowNormal:
			return rest, g.bound(ctx, b.Records[len(b.Records)-1].Offset+1)
		case !waited: // those that were begun may be the last suspects
			if !g.awaitBegun(ctx) {
				return 0, nil
			}
		case f == flowAlone: // that it is begun is committed before it is
			g.mu.Lock()
			g.h.Begun = max(g.h.Begun, b.Records[from].Offset+1)
			g.mu.Unlock()
			return 1, nil
		default:
			n := min(rest, narrowLength)
			bound := b.Records[from+n-1].Offset + 1
			return n, g.commit(ctx, func(h *history) { h.Begun = max(h.Begun, bound) })
		}
	}
}

// bound commits a bound of what is begun up to an offset, where there has to be one.
func (g *guard) bound(ctx context.Context, offset int64) error {
	g.mu.Lock()
	enough := !g.h.bounded(g.limits) || offset <= g.h.Begun
	g.mu.Unlock()
	if enough {
		return nil
	}
	return g.commit(ctx, func(h *history) { h.Begun = offset + boundLength })
}

// awaitBegun waits until all that was begun is done, or for some time. It is false when
// the claim drains.
func (g *guard) awaitBegun(ctx context.Context) bool {
	begun := time.Now()
	for wait := partPoll; ; wait = min(2*wait, maxPartPoll) {
		g.mu.Lock()
		bound := g.h.Begun
		g.mu.Unlock()
		done := g.claim.Progress().Done >= bound
		if (done || time.Since(begun) > partPatience) && !g.halted() {
			return ctx.Err() == nil
		}
		if !sleep(wait, nil, g.claim.Draining()) {
			return false
		}
	}
}

// halted tells whether nothing is begun.
func (g *guard) halted() bool {
	if g.stage.proven.Load() {
		return false
	}
	return g.flow() == flowAlone && g.stage.held() >= maxHeld
}
