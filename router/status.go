package router

import (
	"cmp"
	"slices"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// Status is how a Router is at one moment.
type Status struct {
	// Life is that of the Run as a whole: it is starting until Config.OnStart has
	// succeeded, and stopping when it was told to.
	Life

	Stages  []StageStatus // in topological order
	Sources []SourceStatus
}

// StageStatus is how a stage of this process is.
type StageStatus struct {
	Stats
	Life

	// Stuck are the attempts that take longer than Config.StuckAfter.
	Stuck []Attempt

	Breaker    BreakerStatus
	ParkedNow  Parked
	Partitions []PartitionStatus // that this process has, by topic and number
	Rebalances int64             // assignments that the group has made, those that changed nothing too
	Latency    Latency

	// Crashes are the partitions whose owners have ended without a word and that are
	// not past what may have been at work then.
	Crashes []Crashed

	TakingOver   []Takeover // partitions whose retry log is being read
	Takeovers    int64      // that are done
	TakeoverTime time.Duration
}

// PartitionStatus is how far a stage is with a partition.
type PartitionStatus struct {
	Topic     string
	Partition int32
	kafka.Progress
}

// SourceStatus is how a source of this process is.
type SourceStatus struct {
	Source string // "<pipeline>.<source>"
	Life
	Restarts int64 // runs, and Opens, that failed
}

// Status tells how the stages and sources of this process are. It asks no broker
// and may be called at any time.
func (r *Router) Status() Status {
	s := Status{Life: r.life.read()}
	for _, stage := range r.stages {
		s.Stages = append(s.Stages, stage.status())
	}
	for _, source := range r.sources {
		s.Sources = append(s.Sources, SourceStatus{Source: source.name, Life: source.life.read(), Restarts: source.restarts.Load()})
	}
	return s
}

func (s *stage) status() StageStatus {
	done, took := s.stats.takeovers.sum()
	return StageStatus{
		Stats: s.stats.read(s.node.Group), Life: s.life.read(),
		Stuck: s.activities.longerThan(s.stuckAfter()), Breaker: s.breaker.status(),
		ParkedNow: s.stats.parking.read(), Partitions: s.partitions(),
		Rebalances: s.stats.rebalances.Load(), Latency: s.latency.read(),
		Crashes:    s.crashed(),
		TakingOver: s.stats.takeovers.underWay(), Takeovers: done, TakeoverTime: took,
	}
}

// stuckAfter is longer than an attempt may take where that is bounded.
func (s *stage) stuckAfter() time.Duration { return max(s.router.cfg.StuckAfter, 2*s.node.Timeout) }

// partitions are those of the claims, by topic and number.
func (s *stage) partitions() []PartitionStatus {
	s.mu.Lock()
	claims := make([]*kafka.Claim, 0, len(s.claims))
	for k := range s.claims {
		if k.Context().Err() == nil { // its successor may be there already
			claims = append(claims, k)
		}
	}
	s.mu.Unlock()
	list := make([]PartitionStatus, 0, len(claims))
	for _, k := range claims {
		list = append(list, PartitionStatus{Topic: k.Topic(), Partition: k.Partition(), Progress: k.Progress()})
	}
	compare := func(a, b PartitionStatus) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	}
	slices.SortFunc(list, compare)
	return slices.CompactFunc(list, func(a, b PartitionStatus) bool { return compare(a, b) == 0 })
}
