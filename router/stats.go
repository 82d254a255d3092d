package router

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// Stats is what a stage has done in this process since it started.
type Stats struct {
	Stage    string // "<pipeline>.<stage>"
	In       int64  // messages that reached the filter, each once however often it was tried
	Out      int64  // outputs
	Skipped  int64
	Retried  int64 // attempts after the first
	Parked   int64 // messages that were parked, each as often as it was
	Poisoned int64
	Restarts int64 // memberships that failed and were begun again, and Opens of the filter that failed

	// Reasons counts the poisoned by the error of the last attempt. At most a
	// hundred different ones are kept; the rest are counted as "other".
	Reasons map[string]int64
}

const (
	maxReasons  = 100
	otherReason = "other"
)

type stageStats struct {
	in, out, skipped, retried, parked, poisoned, restarts, rebalances atomic.Int64

	parking   parkingStats
	takeovers takeovers

	mu      sync.Mutex
	reasons map[string]int64
}

func (s *stageStats) poison(reason string) {
	s.poisoned.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reasons == nil {
		s.reasons = map[string]int64{}
	}
	if _, known := s.reasons[reason]; !known && len(s.reasons) >= maxReasons {
		reason = otherReason
	}
	s.reasons[reason]++
}

func (s *stageStats) read(stage string) Stats {
	s.mu.Lock()
	reasons := maps.Clone(s.reasons)
	s.mu.Unlock()
	return Stats{
		Stage: stage, In: s.in.Load(), Out: s.out.Load(), Skipped: s.skipped.Load(), Retried: s.retried.Load(),
		Parked: s.parked.Load(), Poisoned: s.poisoned.Load(), Restarts: s.restarts.Load(), Reasons: reasons,
	}
}

// Parked is what is parked of the partitions that this process has of a stage.
type Parked struct {
	Messages int64
	Oldest   time.Time // since when the one that is parked longest is; zero: none
}

// parkingStats asks who parks.
type parkingStats struct {
	mu     sync.Mutex
	claims map[*kafka.Claim]func() Parked
}

// watch adds what tells of a claim's parked messages, until forget is called.
// look may be called from any goroutine, and often.
func (p *parkingStats) watch(claim *kafka.Claim, look func() Parked) (forget func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.claims == nil {
		p.claims = map[*kafka.Claim]func() Parked{}
	}
	p.claims[claim] = look
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.claims, claim)
	}
}

func (p *parkingStats) read() Parked {
	p.mu.Lock()
	looks := make([]func() Parked, 0, len(p.claims))
	for _, look := range p.claims {
		looks = append(looks, look)
	}
	p.mu.Unlock()
	var all Parked
	for _, look := range looks { // without the lock: they may have locks of their own
		one := look()
		all.Messages += one.Messages
		if !one.Oldest.IsZero() && (all.Oldest.IsZero() || one.Oldest.Before(all.Oldest)) {
			all.Oldest = one.Oldest
		}
	}
	return all
}
