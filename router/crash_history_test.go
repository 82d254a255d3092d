package router

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// world is a partition of a few messages, its owners one after the other, and what
// they have committed. Messages are begun in any order, several at a time where the
// flow lets them. It is a model of guard, on the same decisions.
type world struct {
	t      *rapid.T
	limits crashLimits
	n      int64

	done      map[int64]bool
	poisoned  map[int64]bool
	committed history
	position  int64          // committed
	alone     map[int64]int  // how often each was alone when its owner ended
	crashes   int            // of owners
	culprits  map[int64]bool // end each owner that begins them
	kills     bool           // owners are killed now and then
}

// killed tells whether the owner is killed now.
func (w *world) killed() bool { return w.kills && rapid.IntRange(0, 39).Draw(w.t, "killed") == 0 }

func (w *world) watermark() int64 {
	at := int64(0)
	for w.done[at] || w.poisoned[at] {
		at++
	}
	return at
}

// commit commits where the owner is.
func (w *world) commit(h history) {
	w.committed, w.position = h, w.watermark()
	text, err := json.Marshal(position{Version: positionFormat, Scan: math.MaxInt64, Crashes: h})
	require.NoError(w.t, err)
	require.LessOrEqual(w.t, len(text), kafka.MaxMetadata)
	require.Equal(w.t, h.Ends, readPosition(string(text)).Crashes.Ends)
}

// owner is a process at work until it ends. It tells whether it crashed. An end from
// without may hit at any moment.
func (w *world) owner(id string) (crashed bool) {
	h := w.committed.taken(id, w.position, w.limits)
	for at := range w.done { // what is behind the committed offset is done again
		if at >= w.position {
			delete(w.done, at)
		}
	}
	for at := range w.poisoned {
		if at >= w.position {
			delete(w.poisoned, at)
		}
	}
	w.commit(h)
	proven := false
	for {
		h.Until = min(h.Until, w.n)
		if h.passed(w.watermark()) {
			w.commit(h)
		}
		open := w.open(&h)
		if len(open) == 0 {
			break
		}
		if rapid.IntRange(0, 19).Draw(w.t, "commits") == 0 {
			w.commit(h)
		}
		at := rapid.SampledFrom(open).Draw(w.t, "begins")
		s := suspect{Offset: at}
		switch h.judge(s, h.flow(w.limits) == flowAlone, proven, h.held(w.limits), w.limits) {
		case condemn:
			require.GreaterOrEqual(w.t, h.endsOf(s), w.limits.alone)
			require.GreaterOrEqual(w.t, w.alone[at], w.limits.alone, "message %d is poisoned and was alone only so often when its owner ended", at)
			require.True(w.t, proven)
			w.poisoned[at] = true
			h.forget(s)
		case holdIt, halt:
			if !w.another(&h, at, proven) {
				w.commit(h.released(rapid.Bool().Draw(w.t, "stopped"), proven, w.limits))
				return false
			}
		case beginAlone:
			h.At = &s
			h.Begun = max(h.Begun, at+1)
			h.Until = max(h.Until, h.Begun)
			w.commit(h)
			if w.culprits[at] || w.killed() {
				w.alone[at]++
				w.crashes++
				return true
			}
			w.done[at], proven = true, true
			h.At = nil
			h.forget(s)
			w.commit(h)
		case begin:
			if at >= h.Begun && h.bounded(w.limits) {
				h.Begun = at + 1 + rapid.Int64Range(0, 5).Draw(w.t, "bound")
				w.commit(h)
			}
			if w.culprits[at] || w.killed() {
				w.crashes++
				return true
			}
			w.done[at], proven = true, true
		}
	}
	w.commit(h.released(false, proven, w.limits))
	return false
}

// open are the messages that can be begun: near the watermark, in alone flow those at
// it and, because one that is held is set aside, behind it.
func (w *world) open(h *history) (open []int64) {
	most := 4
	if h.flow(w.limits) == flowAlone {
		most = 1 + h.held(w.limits)
	}
	for at := w.watermark(); at < w.n && len(open) < most; at++ {
		if !w.done[at] && !w.poisoned[at] {
			open = append(open, at)
		}
	}
	return open
}

// another tells whether any other message can be begun.
func (w *world) another(h *history, but int64, proven bool) bool {
	for _, at := range w.open(h) {
		v := h.judge(suspect{Offset: at}, h.flow(w.limits) == flowAlone, proven, h.held(w.limits), w.limits)
		if at != but && v != holdIt && v != halt {
			return true
		}
	}
	return false
}

func newWorld(t *rapid.T) *world {
	return &world{
		t: t, n: int64(rapid.IntRange(5, 30).Draw(t, "messages")), done: map[int64]bool{}, poisoned: map[int64]bool{}, alone: map[int64]int{}, culprits: map[int64]bool{},
		limits: crashLimits{before: rapid.IntRange(1, 4).Draw(t, "before"), alone: rapid.IntRange(1, 3).Draw(t, "alone")},
	}
}

// No message is poisoned that was not alone, as often as it takes, when its owner
// ended: whoever crashes, is killed, or stops, and whenever.
func TestNoInnocentIsPoisoned(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.kills = true
		for _, at := range rapid.SliceOfNDistinct(rapid.Int64Range(0, w.n-1), 0, 4, rapid.ID).Draw(t, "culprits") {
			w.culprits[at] = true
		}
		for life := range 40 {
			w.owner(fmt.Sprint(life))
		}
		for at := range w.poisoned {
			require.GreaterOrEqual(t, w.alone[at], w.limits.alone)
		}
	})
}

// One culprit among others is poisoned after as many crashes as the limits say, and
// all others are done.
func TestOneCulpritIsFoundInTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		culprit := rapid.Int64Range(0, w.n-1).Draw(t, "culprit")
		w.culprits[culprit] = true
		w.position = 0
		for life := 0; w.owner(fmt.Sprint(life)); life++ {
			require.Less(t, life, 200, "it never ends")
		}
		if w.watermark() < w.n { // the last one: nothing is left that could show that others succeed
			require.Equal(t, w.n-1, culprit)
			return
		}
		require.True(t, w.poisoned[culprit])
		require.LessOrEqual(t, w.crashes, w.limits.before+w.limits.alone)
	})
}

// A history from elsewhere does no harm.
func TestAnythingCanBeCommitted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "{}", `{"v":2,"crashes":{"ends":9}}`, `{"v":1,"scan":-4}`, `{"v":1,"crashes":[]}`} {
		require.Equal(t, position{Version: positionFormat}, readPosition(text), text)
	}
	require.Equal(t, position{Version: positionFormat, Scan: 7}, readPosition(`{"v":1,"scan":7}`))
}

// What is known of suspects fits beside an offset, however many there are.
func TestFewSuspectsAreRemembered(t *testing.T) {
	t.Parallel()
	h := history{}
	topic := suspectOf([16]byte{}, parkingEntry(1, math.MaxInt64)).Topic
	for i := range 100 {
		h.blame(suspect{Topic: topic, Offset: math.MaxInt64 - int64(i)})
		h.blame(suspect{Topic: topic, Offset: math.MaxInt64}) // the worst stays
	}
	require.Len(t, h.Alone, maxSuspects)
	require.Equal(t, 101, h.endsOf(suspect{Topic: topic, Offset: math.MaxInt64}))
	text, err := json.Marshal(position{Version: positionFormat, Scan: math.MaxInt64, Crashes: h})
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), kafka.MaxMetadata)
}

// A process that is alive did not crash, whoever took it for dead.
func TestTheOneThatIsAliveDidNotCrash(t *testing.T) {
	t.Parallel()
	l := crashLimits{before: 3, alone: 2}
	at := suspect{Offset: 4}
	h := history{Open: true, By: "me", At: &at}
	mine, others := h.taken("me", 0, l), h.taken("other", 0, l)
	require.Zero(t, mine.Ends)
	require.Zero(t, mine.endsOf(at))
	require.Equal(t, 1, others.Ends)
	require.Equal(t, 1, others.endsOf(at))
	released := h.released(false, true, l)
	require.Zero(t, released.taken("other", 0, l).Ends, "it has said its word")
}

// One that is held gets one more try when the process is stopped in an orderly way,
// as it is when the program is mended; not when its partition only moves.
func TestAStopGivesWhatIsHeldOneMoreTry(t *testing.T) {
	t.Parallel()
	l := crashLimits{before: 3, alone: 2}
	h := history{Ends: 5, Alone: []suspect{{Offset: 4, Ends: 3}, {Offset: 5, Ends: 1}}}
	require.Equal(t, []suspect{{Offset: 4, Ends: 1}, {Offset: 5, Ends: 1}}, h.released(true, false, l).Alone)
	require.Equal(t, h.Alone, h.released(false, false, l).Alone)
	require.Equal(t, h.Alone, h.released(true, true, l).Alone)
}

func parkingEntry(topic byte, offset int64) parking.Entry {
	return parking.Entry{Topic: [16]byte{topic}, Offset: offset}
}
