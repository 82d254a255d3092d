package pipeline

// Park says that a message which has failed all attempts of Retry is parked: it
// is set aside in the stage's retry log and tried n more times, the backoff's
// delays apart, the first one before the first of them. What comes later of its
// key goes behind it, in order, and other keys go on. After the last attempt it
// is poisoned; see OnPoison. Defaults to no parking: it is poisoned after the
// attempts of Retry.
//
// Attempts go on counting: with Retry(3, …) and Park(20, …) the first attempt
// from the log is the fourth, and the 23rd is the last.
func Park(n int, b Backoff) Setting {
	return func(s *Settings) {
		if n < 1 {
			s.wrongf("Park(%d, …) is below 1; give it at least 1, or leave it out", n)
		}
		if wrong := b.wrong(); wrong != "" {
			s.wrongf("Park: %s", wrong)
		}
		s.give(optPark, s.parks == n && s.parkBackoff == b)
		s.parks, s.parkBackoff = n, b
	}
}

// PoisonPolicy says what becomes of a key whose message is poisoned.
type PoisonPolicy uint8

const (
	// GoOn lets the later messages of the key go on without the one that is
	// poisoned.
	GoOn PoisonPolicy = iota
	// HoldKey keeps the key parked behind the message that is poisoned, until an
	// operator replays or drops it.
	HoldKey
)

// String names the policy as topologies do.
func (p PoisonPolicy) String() string {
	if p == HoldKey {
		return "hold key"
	}
	return "go on"
}

// OnPoison says what becomes of the key of a message that is poisoned after its
// last attempt, or because it was rejected. HoldKey needs Park. Defaults to GoOn.
func OnPoison(p PoisonPolicy) Setting {
	return func(s *Settings) {
		if p > HoldKey {
			s.wrongf("OnPoison(%d) is neither GoOn nor HoldKey", p)
		}
		s.give(optOnPoison, s.onPoison == p)
		s.onPoison = p
	}
}

// parking completes the node with what its settings say of parking.
func (n *StageNode) parking(p *Pipeline, what string, set *Settings) {
	n.Parks, n.ParkBackoff, n.OnPoison = set.parks, set.parkBackoff, set.onPoison
	if n.OnPoison == HoldKey && n.Parks == 0 {
		p.problemf(n.at, "%s holds the keys of what is poisoned, which only a stage that parks can; give it pipeline.Park too, or leave OnPoison out", what)
	}
	for _, in := range n.Inputs {
		n.RetryTopics = append(n.RetryTopics, n.Group+"."+nameOfRetry+"."+in.Name)
	}
}
