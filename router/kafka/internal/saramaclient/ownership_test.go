package saramaclient

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// groupModel is a group of members that follow the cooperative protocol: who is
// given less gives up the rest and joins again.
type groupModel struct {
	counts  map[string]int32
	members map[string]*memberModel
	round   int32
}

type memberModel struct {
	topics     []string
	has        map[string][]int32
	generation int32
}

func (g *groupModel) rebalance(t require.TestingT) (settled bool) {
	metadata := map[string]sarama.ConsumerGroupMemberMetadata{}
	for id, m := range g.members {
		var owned []*sarama.OwnedPartition
		for topic, partitions := range m.has {
			owned = append(owned, &sarama.OwnedPartition{Topic: topic, Partitions: partitions})
		}
		metadata[id] = sarama.ConsumerGroupMemberMetadata{Topics: m.topics, OwnedPartitions: owned, GenerationID: m.generation}
	}
	topics := map[string][]int32{}
	for topic, n := range g.counts {
		for p := range n {
			topics[topic] = append(topics[topic], p)
		}
	}
	plan, err := (&ownership{gate: newGate()}).Plan(metadata, topics)
	require.NoError(t, err)
	require.Len(t, plan, len(g.members), "everybody gets an answer, also who is given nothing")
	g.round++
	settled = true
	before := map[string]map[string][]int32{}
	for id, m := range g.members {
		before[id] = m.has
		for topic, partitions := range m.has {
			for _, p := range partitions {
				settled = settled && slices.Contains(plan[id][topic], p)
			}
		}
	}
	// Nobody is given what another still has.
	for id, given := range plan {
		for topic, partitions := range given {
			for _, p := range partitions {
				for other, has := range before {
					require.False(t, other != id && slices.Contains(has[topic], p), "%s/%d is given to %s while %s has it", topic, p, id, other)
				}
			}
		}
	}
	for id, m := range g.members {
		m.has, m.generation = plan[id], g.round
	}
	g.requireWhole(t)
	return settled
}

// requireWhole checks that a number is in one hand, in all topics or in none.
func (g *groupModel) requireWhole(t require.TestingT) {
	holder := map[int32]string{}
	for id, m := range g.members {
		for topic, partitions := range m.has {
			for _, p := range partitions {
				if other, held := holder[p]; held {
					require.Equal(t, id, other, "number %d is split", p)
				}
				holder[p] = id
				for _, another := range m.topics {
					require.True(t, p >= g.counts[another] || slices.Contains(m.has[another], p), "%s has %s/%d without %s", id, topic, p, another)
				}
			}
		}
	}
}

func (g *groupModel) settle(t require.TestingT) {
	quiet := 0
	for range 8 {
		quiet++
		if !g.rebalance(t) {
			quiet = 0
		}
		if quiet == 2 {
			return
		}
	}
	require.Fail(t, "the group does not settle")
}

func TestOwnershipOfNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := &groupModel{counts: map[string]int32{}, members: map[string]*memberModel{}}
		for i := range rapid.IntRange(1, 4).Draw(t, "topics") {
			g.counts[fmt.Sprintf("t%d", i)] = rapid.Int32Range(1, 13).Draw(t, "partitions")
		}
		all := slices.Sorted(maps.Keys(g.counts))
		numbers := slices.Max(slices.Collect(maps.Values(g.counts)))
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"join": func(*rapid.T) {
				g.members[fmt.Sprintf("m%03d", next)] = &memberModel{topics: all, generation: -1}
				next++
			},
			"leave": func(t *rapid.T) {
				if len(g.members) == 0 {
					t.Skip("nobody")
				}
				delete(g.members, rapid.SampledFrom(slices.Sorted(maps.Keys(g.members))).Draw(t, "member"))
			},
			"an answer is lost": func(t *rapid.T) {
				if len(g.members) == 0 {
					t.Skip("nobody")
				}
				// It joins as somebody new, with nothing.
				m := g.members[rapid.SampledFrom(slices.Sorted(maps.Keys(g.members))).Draw(t, "member")]
				m.has, m.generation = nil, -1
			},
			"": func(t *rapid.T) {
				if len(g.members) == 0 {
					return
				}
				g.settle(t)
				total := 0
				for id, share := range g.shares() {
					total += share
					require.GreaterOrEqual(t, share, int(numbers)/len(g.members), "share of %s", id)
					require.LessOrEqual(t, share, (int(numbers)+len(g.members)-1)/len(g.members), "share of %s", id)
				}
				require.Equal(t, int(numbers), total, "every number has an owner")
			},
		})
	})
}

func (g *groupModel) shares() map[string]int {
	shares := map[string]int{}
	for id, m := range g.members {
		numbers := map[int32]bool{}
		for _, partitions := range m.has {
			for _, p := range partitions {
				numbers[p] = true
			}
		}
		shares[id] = len(numbers)
	}
	return shares
}

func TestWhoHasKeepsWhatIsHis(t *testing.T) {
	t.Parallel()
	g := &groupModel{counts: map[string]int32{"a": 12, "b": 12}, members: map[string]*memberModel{}}
	for i := range 3 {
		g.members[fmt.Sprintf("m%d", i)] = &memberModel{topics: []string{"a", "b"}, generation: -1}
	}
	g.settle(t)
	before := map[string][]int32{}
	for id, m := range g.members {
		before[id] = m.has["a"]
	}
	g.members["m3"] = &memberModel{topics: []string{"a", "b"}, generation: -1}
	g.settle(t)
	for id, had := range before {
		for _, p := range g.members[id].has["a"] {
			require.Contains(t, had, p, "%s was given a number it did not have, though it had to give some away", id)
		}
		require.Len(t, g.members[id].has["a"], 3)
	}
}

func TestMembersOfAnOlderVersionGiveWay(t *testing.T) {
	t.Parallel()
	g := &groupModel{counts: map[string]int32{"a": 4, "new": 4}, members: map[string]*memberModel{"old": {topics: []string{"a"}, generation: -1}}}
	g.settle(t)
	require.Len(t, g.members["old"].has["a"], 4)
	g.members["young"] = &memberModel{topics: []string{"a", "new"}, generation: -1}
	g.settle(t)
	require.Empty(t, g.members["old"].has)
	require.Len(t, g.members["young"].has["a"], 4)
	require.Len(t, g.members["young"].has["new"], 4)
}

// Subscriptions of one process that name the same group read topics of their
// own: nobody else would read them.
func TestMembersThatReadOtherTopicsShareNothing(t *testing.T) {
	t.Parallel()
	plan, err := (&ownership{gate: newGate()}).Plan(map[string]sarama.ConsumerGroupMemberMetadata{
		"a": {Topics: []string{"x"}},
		"b": {Topics: []string{"y"}},
		"c": {Topics: []string{"y"}},
		"d": {Topics: []string{"v", "w"}},
		"e": {Topics: []string{"u", "v"}, OwnedPartitions: []*sarama.OwnedPartition{{Topic: "x", Partitions: []int32{1}}}},
	}, map[string][]int32{"x": {0, 1}, "y": {0, 1}, "u": {0, 1}, "v": {0, 1}, "w": {0, 1}})
	require.NoError(t, err)
	require.Equal(t, map[string][]int32{"x": {0}}, plan["a"], "1 is not given up yet")
	require.Equal(t, map[string][]int32{"y": {0}}, plan["b"])
	require.Equal(t, map[string][]int32{"y": {1}}, plan["c"])
	require.Len(t, plan["d"]["v"], 1)
	require.Equal(t, plan["d"]["v"], plan["d"]["w"])
	require.Len(t, plan["e"]["v"], 1)
	require.Equal(t, plan["e"]["v"], plan["e"]["u"])
}
