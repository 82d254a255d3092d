package parking_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
)

// A log of one key. Its owner has the epoch 0.
var key = []byte("customer")

func own(offset int64) parking.Entry { return parking.Entry{Topic: inputTopic, Offset: offset} }

var poisonRecord = parking.Entry{Topic: poisonTopic, Offset: 7}

func first(offset int64) *parking.Park {
	return &parking.Park{Entry: own(offset), Rank: -1, Prev: -1, Message: parking.Message{Key: key}}
}

func again(offset, rank, prev int64, held bool) *parking.Park {
	return &parking.Park{Entry: own(offset), Rank: rank, Prev: prev, Held: held, WasHeld: held && prev > 1, Message: parking.Message{Key: key}}
}

// replayOf is of poisonRecord.
func replayOf(offset int64) *parking.Replay {
	return &parking.Replay{Entry: poisonRecord, Replayed: parking.Replayed{Of: own(offset)}, Message: parking.Message{Key: key}}
}

func doneOf(entries ...parking.Entry) *parking.Done {
	return &parking.Done{Outcome: parking.Succeeded, Entries: entries}
}

// The owner hears of records in the order told here; a fresh fold meets them in
// the order of their offsets.
func TestOwnerThatHearsLateComesToTheFoldOfTheLog(t *testing.T) {
	t.Parallel()
	type live = map[parking.Entry]int64 // rank
	for name, c := range map[string]struct {
		heard []logged
		want  live
	}{
		"DONE leaves a REPLAY below it that was not heard of": {
			[]logged{{1, first(1)}, {3, first(2)}, {4, doneOf(own(1), own(2))}, {2, replayOf(0)}},
			live{poisonRecord: 2},
		},
		"a REPLAY that was asked for again while it was pending": {
			[]logged{{1, replayOf(0)}, {3, doneOf(poisonRecord)}, {2, replayOf(0)}},
			live{},
		},
		"a REPLAY that is asked for again when it is done": {
			[]logged{{1, replayOf(0)}, {2, doneOf(poisonRecord)}, {3, replayOf(0)}},
			live{poisonRecord: 3},
		},
		"a DROP that was before the message was held": {
			[]logged{{1, first(1)}, {3, again(1, 1, 1, true)}, {2, &parking.Drop{Of: own(1)}}},
			live{own(1): 1},
		},
		"a REPLAY that was before the message was held queues up behind it": {
			[]logged{{1, first(1)}, {3, again(1, 1, 1, true)}, {2, replayOf(1)}},
			live{own(1): 1, poisonRecord: 2},
		},
		"a REPLAY that is asked for again moves to the place of what is held": {
			[]logged{{1, first(1)}, {3, again(1, 1, 1, true)}, {2, replayOf(1)}, {4, replayOf(1)}},
			live{poisonRecord: 1},
		},
		"a copy of what was dropped": {
			[]logged{{1, first(1)}, {2, again(1, 1, 1, true)}, {4, again(1, 1, 2, true)}, {3, &parking.Drop{Of: own(1)}}},
			live{},
		},
		"a copy of what was replayed": {
			[]logged{{1, first(1)}, {2, again(1, 1, 1, true)}, {4, again(1, 1, 2, true)}, {3, replayOf(1)}},
			live{poisonRecord: 1},
		},
		"a replay of another key only lets go": {
			[]logged{{1, first(1)}, {2, again(1, 1, 1, true)}, {3, &parking.Replay{Entry: poisonRecord, Replayed: parking.Replayed{Of: own(1)}}}},
			live{poisonRecord: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owner := parking.New(parking.Config{})
			owner.Apply(&parking.Take{Topic: inputTopic, Start: 100}, 0)
			log := make([]logged, len(c.heard)+1)
			log[0].event = &parking.Take{Topic: inputTopic, Start: 100}
			for _, r := range c.heard {
				switch r.event.(type) {
				case *parking.Replay, *parking.Drop:
					owner.ReadTo(r.offset) // the tail brings it
				}
				owner.Apply(r.event, r.offset)
				log[r.offset] = r
			}
			got := live{}
			for _, l := range owner.Snapshot().Live {
				got[l.Entry] = l.Rank
			}
			require.Equal(t, c.want, got)
			require.Equal(t, fold(log).Snapshot(), owner.Snapshot())
			require.Equal(t, foldNaively(log).snapshot(), owner.Snapshot())
		})
	}
}

// A fold that begins at the SCAN meets copies of what it does not know.
func TestFoldFromScanComesToTheFoldOfTheLog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][]logged{ // from offset 3 on; SCAN lies there
		"a copy of what was dropped":              {{4, &parking.Drop{Of: own(1)}}, {5, again(1, 1, 2, true)}},
		"a copy of what was replayed":             {{4, replayOf(1)}, {5, again(1, 1, 2, true)}},
		"a DROP and a REPLAY before the copy":     {{4, &parking.Drop{Of: own(1)}}, {5, replayOf(1)}, {6, again(1, 1, 2, true)}},
		"a REPLAY and a DROP before the copy":     {{4, replayOf(1)}, {5, &parking.Drop{Of: own(1)}}, {6, again(1, 1, 2, true)}},
		"a DROP behind the copy":                  {{4, again(1, 1, 2, true)}, {5, &parking.Drop{Of: own(1)}}},
		"a REPLAY that the owner hears of behind": {{4, again(1, 1, 2, true)}, {5, replayOf(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := append([]logged{
				{0, &parking.Take{Topic: inputTopic, Start: 100}},
				{1, first(1)},
				{2, again(1, 1, 1, true)},
				{3, &parking.Scan{}},
			}, c...)
			want := foldNaively(log).snapshot()
			require.Equal(t, want, fold(log).Snapshot())
			require.Equal(t, want, fold(log[3:]).Snapshot())
		})
	}
}

// The same replay is asked for again between SCAN and its copy.
func TestFoldFromScanTakesTheLowerRankOfAReplay(t *testing.T) {
	t.Parallel()
	copied := replayOf(1).AsPark(1)
	copied.Epoch, copied.Rank, copied.Prev = 0, 1, 1
	log := []logged{
		{0, &parking.Take{Topic: inputTopic}},
		{1, replayOf(1)},
		{2, first(9)},
		{3, &parking.Scan{}},
		{4, again(9, 2, 2, false)},
		{5, replayOf(1)},
		{6, copied},
	}
	want := foldNaively(log).snapshot()
	require.Equal(t, want, fold(log).Snapshot())
	require.Equal(t, want, fold(log[3:]).Snapshot())

	otherKey := replayOf(1)
	otherKey.Message.Key = []byte("another customer")
	log[5].event = otherKey
	want = foldNaively(log).snapshot()
	require.Equal(t, want, fold(log).Snapshot())
	require.Equal(t, want, fold(log[3:]).Snapshot())
}

func TestWhatIsBeingCopiedIsNotRun(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{Topic: inputTopic}}, {1, first(1)}, {2, first(2)}, {3, &parking.Scan{}}})
	require.NoError(t, ix.BeginCleanUp(3))
	require.Error(t, ix.BeginCleanUp(3), "one at a time")

	head := ix.NextCopies(1)
	require.Equal(t, own(1), head[0].Entry)
	_, ok := ix.Take(at(0), 16)
	require.False(t, ok, "the head is being copied")

	ix.Apply(head[0].Again(0, head[0].Payload), 4)
	follower := ix.NextCopies(1)
	require.Equal(t, own(2), follower[0].Entry)
	require.Error(t, ix.EndCleanUp(), "one is below")
	run, ok := ix.Take(at(0), 16)
	require.True(t, ok)
	require.Len(t, run.Items, 1, "the follower is being copied")

	ix.Apply(follower[0].Again(0, follower[0].Payload), 5)
	ix.ReadTo(6)
	require.NoError(t, ix.EndCleanUp())
	ix.Ran(run)
	run, _ = ix.Take(at(0), 16)
	require.Len(t, run.Items, 2)
}

func TestWhatRunsIsCopiedWhenItIsGivenBack(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{Topic: inputTopic}}, {1, first(1)}, {2, first(2)}, {3, &parking.Scan{}}})
	run, ok := ix.Take(at(0), 16)
	require.True(t, ok)
	require.NoError(t, ix.BeginCleanUp(3))
	require.Empty(t, ix.NextCopies(10))
	ix.Apply(doneOf(own(1)), 4)
	require.Equal(t, 1, ix.BelowScan())
	ix.Ran(run)
	items := ix.NextCopies(10)
	require.Len(t, items, 1)
	require.Equal(t, own(2), items[0].Entry)
}

func TestCopiesMayComeInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "messages")
		ranks := make([]int64, n)
		for i := range ranks {
			ranks[i] = int64(i)
		}
		ix := fold([]logged{{100, &parking.Scan{}}})
		offset := int64(101)
		for _, rank := range rapid.Permutation(ranks).Draw(t, "ranks") {
			ix.Apply(again(rank, rank, 50, false), offset)
			offset++
			if rapid.Bool().Draw(t, "new ones between") {
				ix.Apply(first(offset), offset)
				offset++
			}
		}
		run, ok := ix.Take(at(0), 100)
		require.True(t, ok)
		for i := range run.Items[1:] {
			require.Less(t, run.Items[i].Rank, run.Items[i+1].Rank)
		}
		require.Len(t, run.Items, ix.Stats().Live)
	})
}

// A fold that began at a SCAN with an operator's record behind it might meet that
// before the copy of what it means: no such place to begin is committed.
func TestAnOperatorsRecordSpoilsACleanUp(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{Topic: inputTopic}}, {1, first(1)}, {2, &parking.Scan{}}})
	require.NoError(t, ix.BeginCleanUp(2))
	require.False(t, ix.Spoiled())
	ix.Apply(&parking.Drop{Of: own(9)}, 3)
	require.True(t, ix.Spoiled())
	copied := ix.NextCopies(1)
	ix.Apply(copied[0].Again(0, copied[0].Payload), 4)
	ix.ReadTo(5)
	require.Zero(t, ix.BelowScan())
	require.Error(t, ix.EndCleanUp())

	ix.AbandonCleanUp()
	ix.Apply(&parking.Scan{}, 5)
	ix.ReadTo(6)
	require.NoError(t, ix.BeginCleanUp(5))
	copied = ix.NextCopies(1)
	ix.Apply(copied[0].Again(0, copied[0].Payload), 6)
	ix.ReadTo(7)
	require.NoError(t, ix.EndCleanUp(), "what lies before the SCAN does not count")
}
