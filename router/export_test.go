package router

import "github.com/penstock/penstock/router/internal/parking"

// Parking is what the claims of a stage have in their indexes, by input topic and
// partition. It is for tests that compare it with the log.
func (r *Router) Parking(stage string) map[string]map[int32]parking.State {
	states := map[string]map[int32]parking.State{}
	for _, s := range r.stages {
		if s.node.Name != stage {
			continue
		}
		for _, p := range s.allParkers() {
			topic := p.claim.Topic()
			if states[topic] == nil {
				states[topic] = map[int32]parking.State{}
			}
			states[topic][p.claim.Partition()] = p.index.Snapshot()
		}
	}
	return states
}
