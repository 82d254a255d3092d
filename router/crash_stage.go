package router

import (
	"context"
	"maps"
	"slices"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// keepGuard makes the claim's guard. Its history goes with each commit from now on, so
// with the one of a takeover as well.
func (s *stage) keepGuard(claim *kafka.Claim, meta *metadata) (*guard, error) {
	g, err := newGuard(s, claim, meta)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	late := claim.Context().Err() != nil // it may have been released already
	if !late {
		s.guards[claim] = g
	}
	s.mu.Unlock()
	if late {
		g.release(false)
		return nil, context.Cause(claim.Context())
	}
	return g, nil
}

// begin is called when it is known what is parked, nil where nothing can be, and before
// any work. Where something can begin before a batch is read, or there is something to
// be told, it is committed now that an owner is at work, if it is not yet.
func (g *guard) begin(ctx context.Context, parked *parking.Index) error {
	if err := g.suspectParked(parked); err != nil {
		return err
	}
	g.tellEnd()
	g.mu.Lock()
	quiet := g.h.quiet()
	g.mu.Unlock()
	if quiet && (parked == nil || parked.Empty()) {
		return nil
	}
	return g.open(ctx)
}

// released is called before the last commit of a claim.
func (s *stage) released(claim *kafka.Claim) {
	s.mu.Lock()
	g := s.guards[claim]
	delete(s.guards, claim)
	s.mu.Unlock()
	if g != nil {
		g.release(s.life.read().State == StateStopping)
	}
}

func (s *stage) guard(claim *kafka.Claim) *guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.guards[claim]
}

func (s *stage) allGuards() []*guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.guards))
}

// oneByOne tells whether the claim's messages are taken up one at a time.
func (s *stage) oneByOne(claim *kafka.Claim) bool {
	if s.router.solitude.wary.Load() == 0 {
		return false
	}
	g := s.guard(claim)
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.h.flow(g.limits) == flowAlone
}

// busy tells whether an attempt is under way that is not but's.
func (r *Router) busy(but *activity) bool {
	return slices.ContainsFunc(r.stages, func(s *stage) bool { return s.activities.busy(but) })
}

// busy tells whether an attempt is under way that is not but's.
func (as *activities) busy(but *activity) bool {
	as.mu.Lock()
	defer as.mu.Unlock()
	for a := range as.all {
		if a.since.Load() != 0 && a != but {
			return true
		}
	}
	return false
}
