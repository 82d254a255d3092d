package saramaclient

import (
	"cmp"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

// ownership is a cooperative strategy that gives a partition number of all
// topics to one member: what is kept beside a partition, and the same key in
// merged pipes, is then in one place. Kafka's own strategies look at each topic
// by itself and split a number between members.
//
// Owners keep what they have up to their quota, the floor or the ceiling of an
// equal share. A number that moves is withheld from everybody, in all topics,
// until its last holder has let go; the follow-up join hands it out.
//
// Members that read other topics, as the subscriptions of one process that name
// the same group, share nothing with each other: each set of topics that are
// read together has owners of its own.
type ownership struct {
	gate     *gate
	rejoins  func()                                            // called before each JoinGroup, when the gate is shut
	assigned func(topics map[string][]int32, generation int32) // told of each assignment
}

const ownershipName = "penstock-ownership"

// Name implements sarama.BalanceStrategy.
func (*ownership) Name() string { return ownershipName }

// SupportedProtocols implements sarama.RebalanceProtocolBalanceStrategy.
func (*ownership) SupportedProtocols() []sarama.RebalanceProtocol {
	return []sarama.RebalanceProtocol{sarama.RebalanceProtocolCooperative}
}

// SubscriptionUserData is called before each JoinGroup.
func (o *ownership) SubscriptionUserData([]string) ([]byte, error) {
	o.gate.shut()
	o.rejoins()
	return nil, nil
}

// OnAssignment is called with each assignment.
func (o *ownership) OnAssignment(a *sarama.ConsumerGroupMemberAssignment, generation int32) {
	o.assigned(a.Topics, generation)
	o.gate.open(generation)
}

// AssignmentData implements sarama.BalanceStrategy.
func (*ownership) AssignmentData(string, map[string][]int32, int32) ([]byte, error) { return nil, nil }

// Plan implements sarama.BalanceStrategy.
func (*ownership) Plan(members map[string]sarama.ConsumerGroupMemberMetadata, topics map[string][]int32) (sarama.BalanceStrategyPlan, error) {
	plan := sarama.BalanceStrategyPlan{}
	for id := range members {
		plan[id] = map[string][]int32{} // who is given nothing has to hear it too
	}
	for _, set := range readTogether(members) {
		counts := make(map[string]int32, len(set))
		for topic := range set {
			for _, p := range topics[topic] {
				counts[topic] = max(counts[topic], p+1)
			}
		}
		for number, id := range shareOut(owners(members, set), counts) {
			for _, topic := range members[id].Topics {
				if number < counts[topic] {
					plan.Add(id, topic, number)
				}
			}
		}
	}
	return plan, nil
}

// readTogether divides the topics into sets, so that each member's are all in
// one.
func readTogether(members map[string]sarama.ConsumerGroupMemberMetadata) []map[string]bool {
	var sets []map[string]bool
	for _, m := range members {
		merged := make(map[string]bool, len(m.Topics))
		for _, topic := range m.Topics {
			merged[topic] = true
		}
		sets = slices.DeleteFunc(sets, func(set map[string]bool) bool {
			overlaps := slices.ContainsFunc(m.Topics, func(topic string) bool { return set[topic] })
			if overlaps {
				maps.Copy(merged, set)
			}
			return overlaps
		})
		sets = append(sets, merged)
	}
	return sets
}

// owners are the members that read topics of a set, or hold partitions of them.
func owners(members map[string]sarama.ConsumerGroupMemberMetadata, set map[string]bool) []owner {
	var all []owner
	for id, m := range members {
		o := owner{id: id, generation: m.GenerationID, holds: map[int32]bool{}}
		for _, topic := range m.Topics {
			if set[topic] {
				o.topics = append(o.topics, topic)
			}
		}
		for _, owned := range m.OwnedPartitions {
			for _, p := range owned.Partitions {
				if set[owned.Topic] {
					o.holds[p] = true
				}
			}
		}
		if len(o.topics) > 0 || len(o.holds) > 0 {
			all = append(all, o)
		}
	}
	return all
}

// owner is a member as the plan sees it.
type owner struct {
	id         string
	topics     []string
	generation int32          // of the last assignment it had
	holds      map[int32]bool // numbers of which it holds any topic
}

// shareOut says who gets each number. A number that has to move, or that
// several hold, is left out until it is free.
func shareOut(members []owner, counts map[string]int32) map[int32]string {
	everybody := members
	members = eligible(members)
	n := int32(0)
	for _, count := range counts {
		n = max(n, count)
	}
	if len(members) == 0 || n == 0 {
		return nil
	}
	kept := keep(members, n)
	// Those who have most get the ceiling, so that least has to move.
	slices.SortStableFunc(members, func(a, b owner) int { return cmp.Compare(len(kept[b.id]), len(kept[a.id])) })
	quota := map[string]int{}
	for i, m := range members {
		quota[m.id] = int(n) / len(members)
		if i < int(n)%len(members) {
			quota[m.id]++
		}
	}
	goal := make(map[int32]string, n)
	for id, numbers := range kept {
		for _, number := range numbers[:min(len(numbers), quota[id])] {
			goal[number] = id
		}
		quota[id] -= min(len(numbers), quota[id])
	}
	next := 0
	for number := range n {
		if _, taken := goal[number]; taken {
			continue
		}
		for quota[members[next].id] == 0 {
			next++
		}
		goal[number] = members[next].id
		quota[members[next].id]--
	}
	for number, id := range goal {
		if heldByAnother(everybody, number, id) {
			delete(goal, number)
		}
	}
	return goal
}

// eligible are the members that read the most topics, sorted by id: while a
// new version that reads one more is rolled out, only those of the new version
// can own a number as a whole. The others give up what they have.
func eligible(members []owner) []owner {
	most := 0
	for _, m := range members {
		most = max(most, len(m.topics))
	}
	able := slices.DeleteFunc(slices.Clone(members), func(m owner) bool { return len(m.topics) < most })
	slices.SortFunc(able, func(a, b owner) int { return cmp.Compare(a.id, b.id) })
	return able
}

// keep lists the numbers that each member has the best claim on: it holds them
// by the newest generation.
func keep(members []owner, n int32) map[string][]int32 {
	kept := map[string][]int32{}
	for number := range n {
		var best *owner
		for i := range members {
			if m := &members[i]; m.holds[number] && (best == nil || m.generation > best.generation) {
				best = m
			}
		}
		if best != nil {
			kept[best.id] = append(kept[best.id], number)
		}
	}
	return kept
}

func heldByAnother(members []owner, number int32, id string) bool {
	return slices.ContainsFunc(members, func(m owner) bool { return m.id != id && m.holds[number] })
}
