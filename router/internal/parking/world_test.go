package parking_test

import (
	"fmt"
	"slices"

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
// operators. What is sent is stored late, and owners read the log late.
type world struct {
	t     *rapid.T
	log   []logged // from offset 0 on; what is deleted is kept
	naive naiveFold

	ends      [inputs]end
	committed int64 // W
	scan      int64 // where a fold begins, by the commit
	poison    []poisoned
	late      []parking.Event // sends of owners that have lost the partition
	now       int64

	members int      // that have joined the group
	member  int      // the one that has the partition
	frozen  []*taker // within a takeover

	// The owner's.
	ix      *parking.Index
	epoch   int64
	next    int64 // of the input
	closed  [inputs]bool
	sent    []send                // not in the log
	stored  map[int64]func(int64) // in the log, by offset: what to do when it is read
	tail    int64
	running map[string]bool
	copying int64 // the SCAN of the clean-up under way; 0: none, -1: it is not read yet
	copies  int   // under way
}

type send struct {
	event parking.Event
	read  func(offset int64)
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
	offset := int64(len(w.log))
	key, value, headers := parking.Encode(e)
	e, err := parking.Decode(&kafka.Record{Offset: offset, Key: key, Value: value, Headers: headers})
	require.NoError(w.t, err)
	w.log = append(w.log, logged{offset, e})
	w.naive.apply(w.log[offset])
	return offset
}

// requireFold compares the index in memory with the log.
func (w *world) requireFold() {
	want, got := w.naive.snapshot(), w.ix.Snapshot()
	if want.Epoch != got.Epoch || !slices.Equal(want.Live, got.Live) { // much faster than the next line
		require.Equal(w.t, want, got, "the index is a fold of the log")
	}
}

func (w *world) send(e parking.Event, read func(offset int64)) {
	w.sent = append(w.sent, send{e, read})
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
	w.stored[w.append(s.event)] = s.read
}

// storeLate stores what an owner has sent that has lost the partition.
func (w *world) storeLate() {
	if len(w.late) > 0 { // in the order of its sends
		w.append(w.late[0])
		w.late = w.late[1:]
	}
}

func (w *world) tick() { w.now++ }

func (w *world) quiet() bool {
	return len(w.sent) == 0 && w.tail == int64(len(w.log))
}
