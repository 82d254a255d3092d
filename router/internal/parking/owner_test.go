package parking_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

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
	replays int
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

// feed is the lane at the next message of the input.
func (w *world) feed() {
	if w.next == inputs {
		return // all is read
	}
	i := w.next
	key := keyOf(i)
	p := &parking.Park{Epoch: w.epoch, Entry: parking.Entry{Topic: inputTopic, Offset: i}, Rank: -1, Prev: -1, SourceTime: at(0), Message: parking.Message{Key: key, Value: []byte{byte(i)}}}
	if !w.ix.IsParked(key) {
		if rapid.Bool().Draw(w.t, "succeeds at once") {
			w.next++
			w.succeed(i, key)
			w.closed[i] = true
			return
		}
		p.Attempts, p.Since, p.NotBefore = 1, at(w.now), at(w.now+rapid.Int64Range(0, 3).Draw(w.t, "wait"))
	}
	w.next++
	w.ix.Expect(key)
	require.True(w.t, key == nil || w.ix.IsParked(key), "a key counts as parked before its PARK is confirmed")
	w.send(p, func(offset int64) {
		require.True(w.t, w.ix.Apply(p, offset))
		w.closed[i] = true
	})
}

// succeed is a success of a message that is no replay: all of its key that came
// before have ended.
func (w *world) succeed(i int64, key []byte) {
	if !w.ends[i].done && key != nil {
		for j := range i {
			if string(keyOf(j)) == string(key) {
				require.True(w.t, w.ends[j].done || w.ends[j].gone, "message %d overtakes %d of its key", i, j)
			}
		}
	}
	w.ends[i].done = true
}

// commit tells where the next owner begins.
func (w *world) commit() {
	for w.committed < w.next && w.closed[w.committed] {
		w.committed++
	}
	if w.begun && w.copies == 0 && w.ix.BelowScan() == 0 {
		require.NoError(w.t, w.ix.EndCleanUp())
		w.scan, w.copying, w.begun = w.copying, 0, false
	}
}

// run takes a key, and lets it run as far as START; the rest follows when that is
// confirmed.
func (w *world) run() {
	run, ok := w.ix.Take(at(w.now), maxRun)
	if !ok {
		return // nothing is due
	}
	key := run.Items[0].Payload.Message.Key
	require.LessOrEqual(w.t, len(run.Items), maxRun)
	if key != nil {
		require.False(w.t, w.running[string(key)], "two of a key run")
		w.running[string(key)] = true
	}
	start := &parking.Start{Epoch: w.epoch}
	for _, it := range run.Items {
		require.False(w.t, it.Held)
		start.Entries = append(start.Entries, it.Entry)
	}
	w.send(start, func(offset int64) {
		w.ix.Apply(start, offset)
		w.attempt(run, key)
	})
}

func (w *world) attempt(run *parking.Run, key []byte) {
	done := &parking.Done{Epoch: w.epoch, Outcome: parking.Succeeded}
	var again *parking.Park
	for i := range run.Items {
		it := &run.Items[i]
		if rapid.IntRange(0, 2).Draw(w.t, "fails") > 0 {
			again = w.fail(it, done)
			break
		}
		if it.Of == it.Entry {
			w.succeed(it.Of.Offset, key)
		}
		w.ends[it.Of.Offset].done = true
		done.Entries = append(done.Entries, it.Entry)
	}
	ran := func() {
		w.ix.Ran(run)
		delete(w.running, string(key))
	}
	if len(done.Entries) > 0 {
		w.send(done, func(offset int64) {
			w.ix.Apply(done, offset)
			if again == nil {
				ran()
			}
		})
	}
	if again != nil {
		w.send(again, func(offset int64) {
			require.True(w.t, w.ix.Apply(again, offset), "what ran is live")
			ran()
		})
	}
}

// fail parks an item again, or poisons it: then it is held, or ends.
func (w *world) fail(it *parking.Item, done *parking.Done) *parking.Park {
	again := it.Again(w.epoch, it.Payload)
	again.Attempts, again.Starts = it.Attempts+1, 0
	again.NotBefore = at(w.now + rapid.Int64Range(0, 3).Draw(w.t, "backoff"))
	if again.Attempts <= maxAttempts {
		return again
	}
	w.ends[it.Of.Offset].gone = true
	w.poison = append(w.poison, poisoned{message: it.Of, key: it.Payload.Message.Key})
	if rapid.Bool().Draw(w.t, "hold") {
		again.Held, again.NotBefore = true, time.Time{}
		return again
	}
	done.Entries = append(done.Entries, it.Entry)
	return nil
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
	if rapid.IntRange(0, 5).Draw(w.t, "another key") == 0 {
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

// follow is the tail at the next record.
func (w *world) follow() {
	if w.tail == int64(len(w.log)) {
		return // the tail is at the end
	}
	e, err := parking.Decode(&w.log[w.tail])
	require.NoError(w.t, err)
	switch e.(type) {
	case *parking.Replay, *parking.Drop:
		w.ix.Apply(e, w.tail)
	}
	w.tail++
	w.ix.ReadTo(w.tail)
}

// clean begins a clean-up, or copies on.
func (w *world) clean() {
	if w.copying == 0 {
		w.copying = -1
		scan := &parking.Scan{Epoch: w.epoch}
		w.send(scan, func(offset int64) {
			w.ix.Apply(scan, offset)
			w.copying = offset
		})
		return
	}
	if w.copying < 0 {
		return // SCAN is under way
	}
	if !w.begun {
		err := w.ix.BeginCleanUp(w.copying)
		w.begun = w.tail > w.copying
		require.Equal(w.t, w.begun, err == nil, "a REPLAY below SCAN may be unheard of: %v", err)
	}
	for _, it := range w.ix.NextCopies(rapid.IntRange(1, 3).Draw(w.t, "copies")) {
		p := it.Again(w.epoch, it.Payload)
		w.copies++
		w.send(p, func(offset int64) {
			w.ix.Apply(p, offset)
			w.copies--
		})
	}
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

// settle lets all that is under way come to its end, without anything new.
func (w *world) settle() {
	for !w.quiet() {
		for len(w.sent) > 0 {
			w.store()
		}
		for len(w.stored) > 0 {
			w.confirm()
		}
		for w.tail < int64(len(w.log)) {
			w.follow()
		}
	}
}

func TestOwnerLosesNothingAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t}
		w.takeOver()
		acts := []func(){
			w.feed, w.feed, w.store, w.store, w.store, w.confirm, w.confirm, w.confirm, w.follow, w.follow, w.follow,
			w.run, w.run, w.operate, w.clean, w.clean, w.commit, w.settle, w.storeLate, w.tick, w.takeOver,
		}
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			acts[rapid.IntRange(0, len(acts)-1).Draw(t, "act")]()
			if w.quiet() {
				w.requireFold()
			}
		}
		w.finish()
	})
}

// finish reads the input to its end, drops what is held, and lets all else run
// until nothing is left.
func (w *world) finish() {
	for w.next < inputs {
		w.feed()
	}
	w.settle()
	w.now += 1000
	for n := 0; !w.ix.Empty(); n++ {
		require.Less(w.t, n, 10_000, "it comes to an end")
		st := w.ix.Snapshot()
		if held := slices.IndexFunc(st.Live, func(l parking.Live) bool { return l.Held }); held >= 0 {
			w.append(&parking.Drop{Of: st.Live[held].Of})
			w.settle()
		}
		for _, it := range w.ix.NextCopies(10) {
			p := it.Again(w.epoch, it.Payload)
			w.send(p, func(offset int64) { w.ix.Apply(p, offset); w.copies-- })
			w.copies++
		}
		if due, ok := w.ix.NextDue(); ok && !due.After(at(w.now)) {
			w.run()
		}
		w.now++
		w.settle()
		w.requireFold()
	}
	for i, e := range w.ends {
		require.True(w.t, e.done || e.gone, "message %d is lost", i)
	}
	require.Zero(w.t, w.ix.Stats().Running)
	require.Zero(w.t, w.ix.Stats().Expected)
}
