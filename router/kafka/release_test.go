package kafka

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// What is released is what came of the messages before the first one that is not
// settled, in their order, each once; and nothing behind one that was given up.
func TestReleasesArePrefixes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRelease()
		n := rapid.IntRange(1, 3*releaseStart/2).Draw(t, "messages")
		order := rapid.Permutation(numbers(n)).Draw(t, "order")
		givenUp := rapid.IntRange(-1, n-1).Draw(t, "given up")
		state := make([]bool, n) // settled
		lost := map[int64]bool{}
		var released []string
		head := int64(0)
		note := func(entries []int64) {
			for _, e := range entries {
				require.False(t, lost[e], "told of twice")
				lost[e] = true
			}
		}
		take := func() {
			most := rapid.Int64Range(1, 2000).Draw(t, "most")
			want := head
			for want < int64(n) && want-head < most && state[want] && int(want) != givenUp {
				want++
			}
			outs, next, count, bytes, gone := r.take(nil, most, 1<<20)
			note(gone)
			require.Equal(t, want, next)
			require.Equal(t, want-head, count)
			require.Equal(t, count, bytes, "each has a byte")
			for _, o := range outs {
				released = append(released, string(o.out.Value))
			}
			head = next
		}
		for _, e := range order {
			if int64(e) == head && e != givenUp && rapid.Bool().Draw(t, "pass") {
				next, ok := r.pass([]settlement{{entry: int64(e)}})
				require.True(t, ok)
				require.Equal(t, head+1, next)
				released = append(released, fmt.Sprint(e))
				state[e], head = true, next
				continue
			}
			_, ok := r.pass([]settlement{{entry: int64(e)}, {entry: int64(e) + 2}})
			require.False(t, ok, "with a gap")
			if e == givenUp {
				note(r.giveUp(int64(e)))
				_, ok = r.pass([]settlement{{entry: int64(e)}})
				require.False(t, ok, "it was given up")
				state[e] = true
				continue
			}
			outs := []heldOutput{{topic: "out", out: client.Output{Value: fmt.Append(nil, e)}}}
			note(r.settle([]settled{{entry: int64(e), outs: outs, bytes: 1}}))
			state[e] = true
			if rapid.IntRange(0, 9).Draw(t, "take") == 0 {
				take()
			}
		}
		for from := int64(-1); from != head; {
			from = head
			take()
		}
		want := n
		if givenUp >= 0 {
			want = givenUp
		}
		require.Len(t, released, want)
		for i, value := range released {
			require.Equal(t, fmt.Sprint(i), value)
		}
		require.Len(t, lost, max(n-want-1, 0), "who waits for the end of those behind is told")
		require.Zero(t, r.bytes)
	})
}

func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestAHeadThatKeepsBackMuchIsToldOfOnce(t *testing.T) {
	t.Parallel()
	r := newRelease()
	slow := func() int64 {
		head, is := r.slowHead(10, 100)
		if !is {
			return -1
		}
		return head
	}
	for e := int64(1); e < 5; e++ {
		r.settle([]settled{{entry: e, bytes: 1}})
		require.EqualValues(t, -1, slow(), "less than half")
	}
	r.settle([]settled{{entry: 7, bytes: 1}})
	require.EqualValues(t, 0, slow())
	require.EqualValues(t, -1, slow(), "again")
	r.settle([]settled{{entry: 0, bytes: 1}})
	require.EqualValues(t, -1, slow(), "it is done")
	r.take(nil, 1000, 100)
	r.settle([]settled{{entry: 9, bytes: 60}})
	require.EqualValues(t, 5, slow(), "the next one, by bytes")
}
