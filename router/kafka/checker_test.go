package kafka_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
)

// findings are what a checker has to say about a flow in which every input
// makes one output with its key, whose value names the input's place. The
// checker looks at what the broker has and knows nothing of how it came there.
type findings struct {
	lost       []string // inputs without an output
	committed  []string // those of them that the group has committed
	repeated   int      // outputs that were there before
	disordered []string // first occurrences of a key that are not in the order of the inputs
	jumps      []string // a repeat that is no rewind: it leaves something out, or does not come back to where it was
}

// place is what an output says of the input that it came of.
func place(r brokertest.Record) string { return fmt.Sprintf("%d@%d", r.Partition, r.Offset) }

// check compares inputs and outputs as they were read from the broker, each
// partition in the order of its offsets. committed are the group's offsets by
// input partition, fetched before the outputs were read.
func check(inputs, outputs []brokertest.Record, committed map[int32]int64) findings {
	var f findings
	rank := map[string]int{}     // of an input among those of its key
	perKey := map[string]int{}   // how many inputs a key has
	seen := map[string]bool{}    // inputs that have an output
	highest := map[string]int{}  // rank behind the highest one that a key has
	previous := map[string]int{} // rank behind the last one that a key has
	for _, in := range inputs {
		rank[place(in)] = perKey[string(in.Key)]
		perKey[string(in.Key)]++
	}
	for _, out := range outputs {
		key, of := string(out.Key), string(out.Value)
		r, ok := rank[of]
		switch {
		case !ok:
			f.disordered = append(f.disordered, of+" was never put in")
			continue
		case seen[of]:
			f.repeated++
		case r != highest[key]:
			f.disordered = append(f.disordered, fmt.Sprintf("key %s: %s is number %d and comes when %d is due", key, of, r, highest[key]))
		}
		if r > previous[key] {
			f.jumps = append(f.jumps, fmt.Sprintf("key %s: after number %d comes %d", key, previous[key]-1, r))
		}
		seen[of] = true
		previous[key] = r + 1
		highest[key] = max(highest[key], r+1)
	}
	for key := range previous {
		if previous[key] != highest[key] {
			f.jumps = append(f.jumps, fmt.Sprintf("key %s: the last one is number %d, the highest %d", key, previous[key]-1, highest[key]-1))
		}
	}
	for _, in := range inputs {
		if seen[place(in)] {
			continue
		}
		f.lost = append(f.lost, place(in))
		if in.Offset < committed[in.Partition] {
			f.committed = append(f.committed, place(in))
		}
	}
	return f
}

func TestCheckerSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	in := func(offset int64, key string) brokertest.Record {
		return brokertest.Record{Offset: offset, Key: []byte(key)}
	}
	inputs := []brokertest.Record{in(0, "a"), in(1, "b"), in(2, "a"), in(3, "a")}
	outs := func(offsets ...int64) (outs []brokertest.Record) {
		for _, o := range offsets {
			outs = append(outs, brokertest.Record{Key: inputs[o].Key, Value: []byte(place(inputs[o]))})
		}
		return outs
	}
	at := map[int32]int64{0: 2}

	require.Equal(t, findings{}, check(inputs, outs(0, 1, 2, 3), at))
	require.Equal(t, findings{repeated: 2}, check(inputs, outs(0, 2, 1, 0, 2, 3), at), "a rewind")
	require.Equal(t, findings{lost: []string{"0@3"}}, check(inputs, outs(0, 1, 2), at))
	require.Equal(t, []string{"0@1"}, check(inputs, outs(0, 2, 3), at).committed)
	require.Len(t, check(inputs, outs(0, 3, 2, 1), at).disordered, 2)
	require.Len(t, check(inputs, outs(0, 2, 3, 0, 3, 1), at).jumps, 1, "left out in a rewind")
	require.Len(t, check(inputs, outs(0, 2, 3, 0, 1), at).jumps, 1, "not come back")
	require.Len(t, check(inputs, []brokertest.Record{{Key: []byte("a"), Value: []byte("0@9")}}, at).disordered, 1)
}
