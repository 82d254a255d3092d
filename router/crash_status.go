package router

import (
	"cmp"
	"slices"
	"time"
)

// Crashed is a partition that is not in normal flow, because its owners have ended
// without a word: they crashed, were killed, or were taken for dead.
type Crashed struct {
	Topic     string
	Partition int32
	Since     time.Time // in this process

	// Ends is how often owners have ended so since the partition got past what may
	// have been at work then. Alone means that these messages run one at a time, with
	// nothing beside them in the process.
	Ends  int
	Alone bool

	// Held is how many messages are set aside because the process ended each time that
	// they were alone at work. They are poisoned as soon as another message of the
	// stage succeeds in this process.
	Held int

	// Halted means that there are so many of them that none of the partition's
	// suspects is begun any more: that looks like a mistake in the program.
	Halted bool
}

// crashed lists the partitions of the stage that are not in normal flow, by topic and
// number.
func (s *stage) crashed() []Crashed {
	var list []Crashed
	for _, g := range s.allGuards() {
		halted := g.halted() // it looks at the others too
		g.mu.Lock()
		c := Crashed{
			Topic: g.claim.Topic(), Partition: g.claim.Partition(), Since: g.since, Ends: g.h.Ends,
			Alone: g.h.flow(g.limits) == flowAlone, Held: g.h.held(g.limits), Halted: halted,
		}
		g.mu.Unlock()
		if c.Ends > 0 || c.Held > 0 {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b Crashed) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return list
}
