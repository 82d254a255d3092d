package pipeline

// BreakerNode is the circuit breaker of a stage.
type BreakerNode struct {
	// Failures in a row open it.
	Failures int
	// Probe says how long it waits before each attempt that probes whether the
	// outage is over.
	Probe Backoff
}

// Breaker guards what the stage's filter calls: after so many failures in a row,
// of whichever messages, no attempt is begun but one at a time, the probe's delays
// apart, until one succeeds. Meanwhile messages wait where they are. An attempt
// that opens the breaker, or fails while it is open, does not count: an outage
// poisons nothing and uses up no attempts. What is rejected or skipped is no
// failure, since what was called has answered. Each process has a breaker a stage
// of its own. Defaults to none.
//
// The failures may not be more than the attempts of Retry: else an outage would
// poison messages before the breaker opens.
func Breaker(failures int, probe Backoff) Setting {
	return func(s *Settings) {
		if failures < 1 {
			s.wrongf("Breaker(%d, …) is below 1; give it at least 1, or leave it out", failures)
		}
		switch wrong := probe.wrong(); {
		case wrong != "":
			s.wrongf("Breaker: %s", wrong)
		case probe.first <= 0:
			s.wrongf("Breaker: Constant(%v) would probe without a rest; make the wait longer than 0", probe.first)
		}
		b := BreakerNode{Failures: failures, Probe: probe}
		s.give(optBreaker, s.breaker != nil && *s.breaker == b)
		s.breaker = &b
	}
}

// Guarded is implemented by a filter that brings a breaker of its own, because any
// failure of it that may pass is that of what it calls. The setting Breaker replaces
// it. Where a stage has fewer attempts, it opens after those.
type Guarded interface {
	Breaker() BreakerNode
}

// guard completes the node with what its settings, or its filter, say of a breaker.
func (n *StageNode) guard(p *Pipeline, what string, set *Settings, filter any) {
	n.Breaker = set.breaker
	if g, ok := filter.(Guarded); ok && n.Breaker == nil && !isNil(filter) {
		b := g.Breaker()
		b.Failures = min(b.Failures, n.Attempts)
		n.Breaker = &b
	}
	if n.Breaker != nil && n.Breaker.Failures > n.Attempts {
		p.problemf(n.at, "%s has Breaker(%d, …) and %d attempts: an outage would poison messages before the breaker opens; let it open after at most %d failures, or give Retry more attempts",
			what, n.Breaker.Failures, n.Attempts, n.Attempts)
	}
}
