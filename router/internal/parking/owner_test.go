package parking_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
)

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
	w.send(p, func(int64) { w.closed[i] = true })
}

// succeed is a success of a message that is no replay: all of its key that came
// before have ended.
func (w *world) succeed(i int64, key []byte) {
	if !w.ends[i].done && key != nil {
		for j := range i {
			if bytes.Equal(keyOf(j), key) {
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
	if w.copying <= 0 || w.copies > 0 {
		return
	}
	switch err := w.ix.EndCleanUp(); {
	case err == nil:
		w.scan, w.copying = w.copying, 0
		require.Equal(w.t, w.ix.Snapshot(), fold(w.log[w.scan:w.tail]).Snapshot(), "a fold may begin at the SCAN")
	case w.ix.Spoiled():
		w.ix.AbandonCleanUp()
		w.copying = 0
	default:
		require.Positive(w.t, w.ix.BelowScan(), "%v", err)
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
	w.send(start, func(int64) { w.attempt(run, key) })
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
		w.send(done, func(int64) {
			if again == nil {
				ran()
			}
		})
	}
	if again != nil {
		w.send(again, func(int64) { ran() })
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

// follow is the owner at the next record of the log.
func (w *world) follow() {
	if w.tail == int64(len(w.log)) {
		return // it has read all
	}
	r := w.log[w.tail]
	if _, take := r.event.(*parking.Take); take {
		w.takeOver() // by somebody: this owner is one no more
		return
	}
	w.tail++
	effect := w.ix.Apply(r.event, r.offset)
	if read, own := w.stored[r.offset]; own {
		if p, park := r.event.(*parking.Park); park && !w.ix.Spoiled() {
			require.True(w.t, effect, "a PARK has an effect: %+v", p)
		}
		delete(w.stored, r.offset)
		read(r.offset)
	}
}

// clean begins a clean-up, or copies on.
func (w *world) clean() {
	switch w.copying {
	case 0:
		w.copying = -1
		w.send(&parking.Scan{Epoch: w.epoch}, func(offset int64) {
			w.copying = offset
			require.NoError(w.t, w.ix.BeginCleanUp(offset))
		})
	case -1: // SCAN is under way
	default:
		w.copyOn(rapid.IntRange(1, 3).Draw(w.t, "copies"))
	}
}

func (w *world) copyOn(limit int) {
	for _, it := range w.ix.NextCopies(limit) {
		w.copies++
		w.send(it.Again(w.epoch, it.Payload), func(int64) { w.copies-- })
	}
}

// settle lets all that is under way come to its end, without anything new.
func (w *world) settle() {
	for !w.quiet() {
		for len(w.sent) > 0 {
			w.store()
		}
		for w.tail < int64(len(w.log)) {
			w.follow()
		}
	}
}

// rounds is how often the simulation is checked, times what rapid does: some holes
// show in one of a thousand runs only.
const rounds = 5

func TestOwnerLosesNothingAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	for range rounds {
		rapid.Check(t, simulate)
	}
}

func simulate(t *rapid.T) {
	w := &world{t: t, naive: naiveFold{epoch: -1}}
	w.takeOver()
	acts := []func(){
		w.feed, w.store, w.store, w.store, w.store, w.follow, w.follow, w.follow, w.follow, w.follow, w.follow,
		w.run, w.run, w.run, w.operate, w.operate, w.clean, w.clean, w.clean, w.commit, w.commit, w.storeLate,
		w.tick, w.settle, w.settle, w.thaw, func() {
			if rapid.IntRange(0, 2).Draw(t, "ends") == 0 {
				w.takeOver()
			}
		},
	}
	for range rapid.IntRange(1, 250).Draw(t, "steps") {
		acts[rapid.IntRange(0, len(acts)-1).Draw(t, "act")]()
		if w.quiet() {
			w.requireFold()
		}
	}
	for len(w.frozen) > 0 || !w.quiet() {
		w.thaw()
		w.settle()
	}
	w.finish()
}

// finish reads the input to its end, in place of owners that may still come, drops what is held, and lets all else run
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
		w.copyOn(10)
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
