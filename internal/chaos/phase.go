package chaos

import (
	"fmt"
	"strings"
)

// Phase is what a worker is at.
type Phase string

// The phases. Of several that a worker is in at a time, the first one in this order
// counts.
const (
	InTakeover    Phase = "takeover"    // it reads the retry log of a partition that it was given
	InRebalance   Phase = "rebalance"   // it waits for its share of the partitions
	InCommit      Phase = "commit"      // it waits for the answer to a commit of offsets or of a transaction
	InTransaction Phase = "transaction" // it has a transaction open
	InFlight      Phase = "in flight"   // it has messages in its filters
	Idle          Phase = "idle"
)

// phases are all, in their order.
var phases = []Phase{InTakeover, InRebalance, InCommit, InTransaction, InFlight, Idle}

// at tells which phases a worker is in.
func (c *crew) at(p *process) map[Phase]bool {
	a := c.network.activity(p.name)
	at := map[Phase]bool{
		InTakeover: p.beat.TakingOver.Load() > 0, InRebalance: a.Rebalances > 0, InCommit: a.Commits > 0,
		InTransaction: a.Transactions > 0, InFlight: p.beat.InFilters.Load() > 0,
	}
	if first(at) == "" {
		at[Idle] = true
	}
	return at
}

// first is the one that counts.
func first(at map[Phase]bool) Phase {
	for _, phase := range phases {
		if at[phase] {
			return phase
		}
	}
	return ""
}

// Histogram counts in which phases faults met workers.
type Histogram map[faultKind]map[Phase]int

func (h Histogram) add(kind faultKind, at map[Phase]bool) {
	if h[kind] == nil {
		h[kind] = map[Phase]int{}
	}
	h[kind][first(at)]++
}

// String is a line a kind of fault.
func (h Histogram) String() string {
	var b strings.Builder
	for _, kind := range faultKinds {
		if h[kind] == nil {
			continue
		}
		fmt.Fprintf(&b, "%-15s", kind)
		for _, phase := range phases {
			fmt.Fprintf(&b, "  %s=%d", phase, h[kind][phase])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
