package parking_test

import (
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
)

// taker is a process on its way to own the partition. It may be frozen before each
// of its steps, while others take the partition over, and then go on.
type taker struct {
	member          int
	committed, scan int64 // as it has fetched them
	epoch           int64
	resumed         int64
	steps           []func() (ok bool) // that are to come
}

// join has a new member take the partition from whoever has it. It fetches what is
// committed; what it does then is in the taker's steps.
func (w *world) join() *taker {
	w.members++
	w.member = w.members
	k := &taker{member: w.member, committed: w.committed, scan: w.scan}
	k.steps = []func() bool{
		func() bool { k.epoch = w.append(&parking.Take{}); return true },
		func() bool { return w.member == k.member }, // the heartbeat
		func() bool {
			k.resumed = w.append(&parking.Resume{Epoch: k.epoch, Topic: inputTopic, Start: k.committed})
			return true
		},
		func() bool { return !w.takenBehind(k.epoch) }, // it reads the log
	}
	return k
}

// step is a step of a takeover. Not ok: it has failed, and writes no more.
func (k *taker) step() (ok bool) {
	step := k.steps[0]
	k.steps = k.steps[1:]
	return step()
}

func (w *world) takenBehind(epoch int64) bool {
	return slices.ContainsFunc(w.log[epoch+1:], func(r logged) bool {
		_, take := r.event.(*parking.Take)
		return take
	})
}

// thaw lets one that was frozen go on by some steps. One that gets to its end does not
// know that it is a member no more, and parks.
func (w *world) thaw() {
	if len(w.frozen) == 0 {
		return // nobody is frozen
	}
	i := rapid.IntRange(0, len(w.frozen)-1).Draw(w.t, "thaws")
	k := w.frozen[i]
	ok := true
	for range rapid.IntRange(1, len(k.steps)).Draw(w.t, "steps") {
		ok = ok && k.step()
	}
	if ok && len(k.steps) > 0 {
		return
	}
	w.frozen = slices.Delete(w.frozen, i, i+1)
	if ok && k.committed < inputs {
		w.late = append(w.late, &parking.Park{
			Epoch: k.epoch, Entry: parking.Entry{Topic: inputTopic, Offset: k.committed}, Rank: -1, Prev: -1,
			Message: parking.Message{Key: keyOf(k.committed), Value: []byte{byte(k.committed)}},
		})
	}
}

// takeOver is a new owner: what the last one knew is gone. Others may be frozen on
// their way before.
func (w *world) takeOver() {
	for _, s := range w.sent {
		w.late = append(w.late, s.event) // may still be stored
	}
	k := w.join()
	for len(k.steps) > 0 {
		switch rapid.IntRange(0, 15).Draw(w.t, "in between") {
		case 0, 1:
			w.frozen = append(w.frozen, k)
			k = w.join()
		case 2, 3:
			w.thaw()
		case 4:
			w.storeLate()
		}
		if !k.step() {
			k = w.join()
		}
	}
	w.own(k)
}

// own begins the work of an owner that has taken over.
func (w *world) own(k *taker) {
	w.epoch, w.tail = k.epoch, k.resumed+1
	w.ix = fold(w.log[k.scan:w.tail])
	w.next, w.closed, w.sent, w.stored = k.committed, [inputs]bool{}, nil, map[int64]func(int64){}
	w.running, w.copying, w.copies = map[string]bool{}, 0, 0
	require.Equal(w.t, foldNaively(w.log[:w.tail]).snapshot(), w.ix.Snapshot(), "the index is a fold of the log")
	live := map[parking.Entry]bool{}
	for _, l := range w.ix.Snapshot().Live {
		live[l.Of] = true
	}
	for i := range w.committed {
		e := parking.Entry{Topic: inputTopic, Offset: i}
		require.True(w.t, w.ends[i].done || w.ends[i].gone || live[e], "message %d is lost", i)
	}
}
