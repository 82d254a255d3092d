package parking_test

import (
	"fmt"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

const (
	inputs      = 24 // messages of the input
	maxAttempts = 2
	maxRun      = 3
)

// end says how a message of the input ended.
type end struct {
	done bool // an attempt of it, or of a replay, has succeeded
	gone bool // an operator has its poison record
}

// world is a partition with its retry log, owners that come and go, and
// operators. Owners read the log late, and their sends are confirmed late.
type world struct {
	t   *rapid.T
	log []kafka.Record // from offset 0 on; what is deleted is kept for comparing

	ends      [inputs]end
	committed int64 // W
	scan      int64 // where a fold begins, by the commit
	poison    []poisoned
	late      []parking.Event // sends of owners that have lost the partition
	now       int64

	// The owner's.
	ix      *parking.Index
	epoch   int64
	next    int64 // of the input
	closed  [inputs]bool
	sent    []send // not in the log
	stored  []send // in the log, and not confirmed
	tail    int64
	running map[string]bool
	copying int64 // the SCAN of the clean-up under way; 0: none
	begun   bool  // its plan is made
	copies  int   // under way
}

type send struct {
	event     parking.Event
	offset    int64
	confirmed func(offset int64)
}

type poisoned struct {
	message parking.Entry
	key     []byte
}

func keyOf(offset int64) []byte {
	if offset%5 == 4 {
		return nil
	}
	return fmt.Appendf(nil, "key%d", offset%3)
}

func (w *world) append(e parking.Event) int64 {
	key, value, headers := parking.Encode(e)
	w.log = append(w.log, kafka.Record{Offset: int64(len(w.log)), Key: key, Value: value, Headers: headers})
	return int64(len(w.log)) - 1
}

func (w *world) read(from int64) []logged {
	var out []logged
	for i := range w.log[from:] {
		e, err := parking.Decode(&w.log[from+int64(i)])
		require.NoError(w.t, err)
		out = append(out, logged{offset: w.log[from+int64(i)].Offset, event: e})
	}
	return out
}

// takeOver is a new owner: what the last one knew is gone.
func (w *world) takeOver() {
	for _, s := range w.sent {
		w.late = append(w.late, s.event) // may still be stored
	}
	w.epoch = w.append(&parking.Take{Topic: inputTopic, Start: w.committed})
	w.ix = fold(w.read(w.scan))
	w.next, w.closed, w.sent, w.stored, w.tail = w.committed, [inputs]bool{}, nil, nil, int64(len(w.log))
	w.running, w.copying, w.begun, w.copies = map[string]bool{}, 0, false, 0
	w.requireFold()
	live := map[parking.Entry]bool{}
	for _, l := range w.ix.Snapshot().Live {
		live[l.Of] = true
	}
	for i := range w.committed {
		e := parking.Entry{Topic: inputTopic, Offset: i}
		require.True(w.t, w.ends[i].done || w.ends[i].gone || live[e], "message %d is lost", i)
	}
}

// requireFold compares the index in memory with the log.
func (w *world) requireFold() {
	want := foldNaively(w.read(0)).snapshot()
	require.Equal(w.t, want, w.ix.Snapshot(), "the index is a fold of the log")
	require.Equal(w.t, want, fold(w.read(w.scan)).Snapshot(), "a fold may begin at the SCAN")
}

func (w *world) send(e parking.Event, confirmed func(int64)) {
	w.sent = append(w.sent, send{event: e, confirmed: confirmed})
}

// operate is an operator at a poison record.
func (w *world) operate() {
	if len(w.poison) == 0 {
		return // nothing is poisoned
	}
	i := rapid.IntRange(0, len(w.poison)-1).Draw(w.t, "poison")
	p := w.poison[i]
	if rapid.IntRange(0, 3).Draw(w.t, "drops") == 0 {
		w.append(&parking.Drop{Of: p.message, At: at(w.now)})
		return
	}
	r := &parking.Replay{Entry: parking.Entry{Topic: poisonTopic, Offset: int64(i)}, Message: parking.Message{Key: p.key, Value: []byte("again")}}
	r.Replayed = parking.Replayed{Of: p.message, At: at(w.now)}
	if i%5 == 4 { // always the same, however often it is asked for
		r.Message.Key = []byte("key0")
	}
	w.append(r)
}

// store lets the broker store the oldest send.
func (w *world) store() {
	if len(w.sent) == 0 {
		return // nothing is sent
	}
	s := w.sent[0]
	w.sent = w.sent[1:]
	s.offset = w.append(s.event)
	w.stored = append(w.stored, s)
}

func (w *world) confirm() {
	if len(w.stored) == 0 {
		return // nothing is stored
	}
	s := w.stored[0]
	w.stored = w.stored[1:]
	s.confirmed(s.offset)
}

// storeLate stores what an owner has sent that has lost the partition.
func (w *world) storeLate() {
	if len(w.late) > 0 {
		w.append(w.late[0])
		w.late = w.late[1:]
	}
}

func (w *world) tick() { w.now++ }

func (w *world) quiet() bool {
	return len(w.sent) == 0 && len(w.stored) == 0 && w.tail == int64(len(w.log))
}
