package parking_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
)

// A fold that begins at the SCAN meets copies of what it does not know.
func TestFoldFromScanComesToTheFoldOfTheLog(t *testing.T) {
	t.Parallel()
	one, other := again(1, 1, 2, true), again(9, 3, 3, false)
	for name, behind := range map[string][]parking.Event{ // SCAN, which lies at 4
		"copies":                                {one, other},
		"a DROP behind the copies":              {other, one, &parking.Drop{Of: own(1)}},
		"a REPLAY behind the copies":            {other, one, replayOf(1)},
		"a message fails again behind its copy": {other, one, again(9, 3, 5, false)},
		"a message fails again and is no copy":  {one, &parking.Park{Entry: own(9), Rank: 3, Prev: 3, Attempts: 1, Message: parking.Message{Key: key}}},
		"a message is done before it is copied": {doneOf(own(9)), one},
		"a message is done behind its copy":     {one, other, doneOf(own(1))},
		"a takeover behind":                     {one, other, &parking.Take{}, &parking.Resume{Epoch: 7, Topic: inputTopic, Start: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := []logged{
				{0, &parking.Take{}},
				{1, first(1)},
				{2, again(1, 1, 1, true)},
				{3, first(9)},
				{4, &parking.Scan{}},
			}
			for i, e := range behind {
				log = append(log, logged{5 + int64(i), e})
			}
			want := foldNaively(log).snapshot()
			require.NotEmpty(t, want.Live)
			require.Equal(t, want, fold(log).Snapshot())
			require.Equal(t, want, fold(log[4:]).Snapshot())
		})
	}
}

func TestWhatIsBeingCopiedIsNotRun(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{}}, {1, first(1)}, {2, first(2)}, {3, &parking.Scan{}}})
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
	require.NoError(t, ix.EndCleanUp())
	ix.Ran(run)
	run, _ = ix.Take(at(0), 16)
	require.Len(t, run.Items, 2)
}

func TestWhatRunsIsCopiedWhenItIsGivenBack(t *testing.T) {
	t.Parallel()
	ix := fold([]logged{{0, &parking.Take{}}, {1, first(1)}, {2, first(2)}, {3, &parking.Scan{}}})
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
	ix := fold([]logged{{0, &parking.Take{}}, {1, first(1)}, {2, &parking.Scan{}}})
	require.NoError(t, ix.BeginCleanUp(2))
	require.False(t, ix.Spoiled())
	ix.Apply(&parking.Drop{Of: own(9)}, 3)
	require.True(t, ix.Spoiled())
	copied := ix.NextCopies(1)
	ix.Apply(copied[0].Again(0, copied[0].Payload), 4)
	require.Zero(t, ix.BelowScan())
	require.Error(t, ix.EndCleanUp())

	ix.AbandonCleanUp()
	ix.Apply(&parking.Scan{}, 5)
	require.NoError(t, ix.BeginCleanUp(5))
	copied = ix.NextCopies(1)
	ix.Apply(copied[0].Again(0, copied[0].Payload), 6)
	require.NoError(t, ix.EndCleanUp(), "what lies before the SCAN does not count")
}
