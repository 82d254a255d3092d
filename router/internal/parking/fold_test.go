package parking_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
)

var (
	inputTopic  = [16]byte{1}
	poisonTopic = [16]byte{2}
	oldTopic    = [16]byte{3}
)

// drawEvent draws a record that may follow the log: often one that means
// something there, at times one that does not.
func drawEvent(t *rapid.T, log []logged) parking.Event {
	f := foldNaively(log)
	live := f.snapshot().Live
	epoch := f.epoch
	if rapid.IntRange(0, 7).Draw(t, "stale") == 0 {
		epoch = int64(rapid.IntRange(-1, len(log)).Draw(t, "epoch"))
	}
	keys := [][]byte{[]byte("a"), []byte("b"), {}, nil}
	number := rapid.Int64Range(0, 6)
	own := func() parking.Entry {
		return parking.Entry{Topic: rapid.SampledFrom([][16]byte{inputTopic, inputTopic, oldTopic}).Draw(t, "topic"), Offset: number.Draw(t, "offset")}
	}
	entry := func() parking.Entry {
		if len(live) > 0 && rapid.IntRange(0, 4).Draw(t, "live") > 0 {
			return rapid.SampledFrom(live).Draw(t, "of").Entry
		}
		return own()
	}
	switch rapid.SampledFrom([]string{"take", "resume", "park", "park", "again", "again", "start", "done", "replay", "replay", "drop", "scan"}).Draw(t, "kind") {
	case "take":
		return &parking.Take{}
	case "resume":
		return &parking.Resume{Epoch: epoch, Topic: inputTopic, Start: number.Draw(t, "W")}
	case "park":
		e := own()
		return &parking.Park{
			Epoch: epoch, Entry: e, Rank: -1, Prev: -1, Attempts: rapid.IntRange(0, 3).Draw(t, "attempts"),
			NotBefore: at(number.Draw(t, "not before")), SourceTime: at(1),
			Message: parking.Message{Key: keys[e.Offset%4], Value: []byte("v")}, // a message has one key for ever
		}
	case "again":
		if len(live) == 0 {
			return &parking.Scan{Epoch: epoch}
		}
		of := rapid.SampledFrom(live).Draw(t, "again")
		again := f.find(of.Entry).park
		again.Epoch, again.Rank, again.Prev = epoch, of.Rank, of.Offset
		again.Held = again.Held || rapid.Bool().Draw(t, "held")
		again.Attempts++
		again.Since = at(number.Draw(t, "since"))
		if rapid.IntRange(0, 5).Draw(t, "late") == 0 {
			again.Prev = int64(rapid.IntRange(0, len(log)).Draw(t, "prev"))
		}
		return &again
	case "start":
		return &parking.Start{Epoch: epoch, Entries: []parking.Entry{entry()}}
	case "done":
		return &parking.Done{Epoch: epoch, Outcome: parking.Succeeded, Entries: []parking.Entry{entry(), entry()}}
	case "replay":
		r := &parking.Replay{
			Entry: parking.Entry{Topic: poisonTopic, Offset: number.Draw(t, "poison")}, Replayed: parking.Replayed{Of: own(), At: at(2)},
			Message: parking.Message{Key: rapid.SampledFrom(keys).Draw(t, "key")},
		}
		if len(live) > 0 && rapid.Bool().Draw(t, "of live") {
			l := rapid.SampledFrom(live).Draw(t, "of")
			r.Replayed.Of = l.Of
			if l.HasKey && rapid.Bool().Draw(t, "same key") {
				r.Message.Key = []byte(l.Key)
			}
		}
		return r
	case "drop":
		if len(live) > 0 {
			return &parking.Drop{Of: rapid.SampledFrom(live).Draw(t, "of").Of}
		}
		return &parking.Drop{Of: own()}
	}
	return &parking.Scan{Epoch: epoch}
}

// drawLog draws a log that begins with a TAKE.
func drawLog(t *rapid.T) []logged {
	log := []logged{{event: &parking.Take{}}}
	for i := range rapid.IntRange(0, 30).Draw(t, "records") {
		log = append(log, logged{offset: int64(i) + 1, event: drawEvent(t, log)})
	}
	return log
}

func fold(log []logged) *parking.Index {
	ix := parking.New(parking.Config{})
	for _, r := range log {
		ix.Apply(r.event, r.offset)
	}
	return ix
}

func TestIndexIsTheNaiveFoldAfterEachRecord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		ix := parking.New(parking.Config{CacheBytes: -1})
		for i, r := range log {
			ix.Apply(r.event, r.offset)
			want := foldNaively(log[:i+1]).snapshot()
			require.Equal(t, want, ix.Snapshot(), "after record %d: %#v", i, r.event)
			requireCounts(t, ix, want)
		}
		requireTakenInOrder(t, ix, foldNaively(log).snapshot())
	})
}

// requireCounts compares what the index counts with what is live.
func requireCounts(t require.TestingT, ix *parking.Index, want parking.State) {
	stats := ix.Stats()
	held := 0
	for _, l := range want.Live {
		if l.Held {
			held++
		}
		if l.HasKey {
			require.True(t, ix.IsParked([]byte(l.Key)))
		}
	}
	require.Equal(t, len(want.Live), stats.Live)
	require.Equal(t, held, stats.Held)
	require.Equal(t, len(want.Live) == 0, ix.Empty())
	require.Equal(t, max(0, 5-len(want.Live)), ix.Room(5))
	if len(want.Live) > 0 {
		require.Equal(t, want.Live[0].Since, stats.Oldest, "the one of the lowest rank is the oldest")
	}
	require.False(t, ix.IsParked([]byte("never")))
	require.False(t, ix.IsParked(nil))
}

// requireTakenInOrder works off the index one message a run: of the heads that
// are not held always the one that is due first, each key in the order of ranks.
func requireTakenInOrder(t require.TestingT, ix *parking.Index, st parking.State) {
	live := st.Live
	for offset := int64(1000); ; offset++ {
		var want *parking.Live
		keys := map[string]bool{}
		for i := range live {
			l := &live[i]
			head := !l.HasKey || !keys[l.Key]
			keys[l.Key] = keys[l.Key] || l.HasKey
			if head && !l.Held && (want == nil || l.NotBefore.Before(want.NotBefore)) {
				want = l
			}
		}
		due, ok := ix.NextDue()
		require.Equal(t, want != nil, ok)
		if want == nil {
			_, ok = ix.Take(at(100), 1)
			require.False(t, ok, "what is left is held")
			return
		}
		require.Equal(t, want.NotBefore, due)
		if !due.IsZero() {
			_, ok = ix.Take(due.Add(-1), 1)
			require.False(t, ok, "nothing is taken before its time")
		}
		run, ok := ix.Take(due, 1)
		require.True(t, ok)
		require.Len(t, run.Items, 1)
		require.Equal(t, want.Item, run.Items[0])
		ix.Apply(&parking.Done{Epoch: st.Epoch, Entries: []parking.Entry{want.Entry}}, offset)
		ix.Ran(run)
		ix.Ran(run)
		gone := want.Entry
		live = slices.DeleteFunc(live, func(l parking.Live) bool { return l.Entry == gone })
	}
}

// A cluster without topic ids gives all topics the same.
func TestResumeKeepsReplaysWhateverTheTopicsIDs(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{
		{0, &parking.Take{}},
		{1, &parking.Replay{Entry: parking.Entry{Offset: 50}, Replayed: parking.Replayed{Of: parking.Entry{Offset: 3}}}},
		{2, &parking.Take{}},
		{3, &parking.Resume{Epoch: 2}},
	})
	require.Len(t, ix.Snapshot().Live, 1)
}
