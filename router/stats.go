package router

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is what a stage has done in this process since it started.
type Stats struct {
	Stage    string // "<pipeline>.<stage>"
	In       int64  // messages that reached the filter, each once however often it was tried
	Out      int64  // outputs
	Skipped  int64
	Retried  int64 // attempts after the first
	Poisoned int64
	Restarts int64 // memberships that failed and were begun again

	// Reasons counts the poisoned by the error of the last attempt. At most a
	// hundred different ones are kept; the rest are counted as "other".
	Reasons map[string]int64
}

const (
	maxReasons  = 100
	otherReason = "other"
)

type stageStats struct {
	in, out, skipped, retried, poisoned, restarts atomic.Int64

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
		Poisoned: s.poisoned.Load(), Restarts: s.restarts.Load(), Reasons: reasons,
	}
}
