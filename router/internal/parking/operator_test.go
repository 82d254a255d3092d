package parking_test

import (
	"testing"

	"github.com/stretchr/testify/require"

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
	return &parking.Park{Entry: own(offset), Rank: rank, Prev: prev, Held: held, Message: parking.Message{Key: key}}
}

// replayOf is of poisonRecord.
func replayOf(offset int64) *parking.Replay {
	return &parking.Replay{Entry: poisonRecord, Replayed: parking.Replayed{Of: own(offset)}, Message: parking.Message{Key: key}}
}

func doneOf(entries ...parking.Entry) *parking.Done {
	return &parking.Done{Outcome: parking.Succeeded, Entries: entries}
}

// What an operator's record means depends on what lies before it, and so does what
// the owner's mean that it has written meanwhile.
func TestOperatorsRecordsMeanWhatLiesBeforeThem(t *testing.T) {
	t.Parallel()
	type live = map[parking.Entry]int64 // rank
	for name, c := range map[string]struct {
		log  []parking.Event // from offset 1 on
		want live
	}{
		"DONE leaves a REPLAY below it that was not heard of": {
			[]parking.Event{first(1), replayOf(0), first(2), doneOf(own(1), own(2))},
			live{poisonRecord: 2},
		},
		"a REPLAY that was asked for again while it was pending": {
			[]parking.Event{replayOf(0), replayOf(0), doneOf(poisonRecord)},
			live{},
		},
		"a REPLAY that is asked for again when it is done": {
			[]parking.Event{replayOf(0), doneOf(poisonRecord), replayOf(0)},
			live{poisonRecord: 3},
		},
		"a DROP that was before the message was held": {
			[]parking.Event{first(1), &parking.Drop{Of: own(1)}, again(1, 1, 1, true)},
			live{own(1): 1},
		},
		"a REPLAY that was before the message was held queues up behind it": {
			[]parking.Event{first(1), replayOf(1), again(1, 1, 1, true)},
			live{own(1): 1, poisonRecord: 2},
		},
		"a REPLAY that is asked for again moves to the place of what is held": {
			[]parking.Event{first(1), replayOf(1), again(1, 1, 1, true), replayOf(1)},
			live{poisonRecord: 1},
		},
		"a copy of what was dropped": {
			[]parking.Event{first(1), again(1, 1, 1, true), &parking.Drop{Of: own(1)}, again(1, 1, 2, true)},
			live{},
		},
		"a copy of what was replayed": {
			[]parking.Event{first(1), again(1, 1, 1, true), replayOf(1), again(1, 1, 2, true)},
			live{poisonRecord: 1},
		},
		"a replay of another key only lets go": {
			[]parking.Event{first(1), again(1, 1, 1, true), &parking.Replay{Entry: poisonRecord, Replayed: parking.Replayed{Of: own(1)}}},
			live{poisonRecord: 3},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := []logged{{0, &parking.Take{}}}
			for i, e := range c.log {
				log = append(log, logged{int64(i) + 1, e})
			}
			got := live{}
			for _, l := range fold(log).Snapshot().Live {
				got[l.Entry] = l.Rank
			}
			require.Equal(t, c.want, got)
			require.Equal(t, foldNaively(log).snapshot(), fold(log).Snapshot())
		})
	}
}

// RESUME drops what the input brings again, in its epoch only: a process that wrote
// TAKE, was frozen, and goes on from an offset of long ago drops nothing.
func TestResumeCountsInItsEpochOnly(t *testing.T) {
	t.Parallel()
	log := []logged{
		{0, &parking.Take{}}, // the one that is frozen
		{1, &parking.Take{}},
		{2, &parking.Resume{Epoch: 1, Topic: inputTopic, Start: 3}},
		{3, &parking.Park{Epoch: 1, Entry: own(3), Rank: -1, Prev: -1, Message: parking.Message{Key: key}}},
		{4, &parking.Resume{Epoch: 0, Topic: inputTopic}},
	}
	require.Len(t, fold(log).Snapshot().Live, 1)
	log = append(log, logged{5, &parking.Take{}}, logged{6, &parking.Resume{Epoch: 5, Topic: inputTopic, Start: 3}})
	require.Len(t, fold(log[:6]).Snapshot().Live, 1, "TAKE drops nothing")
	require.Empty(t, fold(log).Snapshot().Live)
}
