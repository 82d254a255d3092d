package checker

import "github.com/penstock/penstock/internal/chaos/flow"

// occurrence is a record of a key.
type occurrence struct {
	message flow.Message
	record  *Record
}

// walk follows the records of a key through what the stage's input makes due.
//
// The input may have rewinds of its own, and a stage that begins again in the
// middle of one repeats a part of it: from 3 4 5 3 4 5 6 it can make 3 4 5 3, and
// begin again with 4 5 3 4 5 6. So a rewind is one of the input as it stands, its
// repeats included: from the position of one record in it, the next record is at
// most one position further. A message that the input repeats has several
// positions; the highest that the record before it allows is assumed, since it
// allows most to those behind it.
type walk struct {
	check     *check
	due       []due                  // in the order of the input, with its repeats
	positions map[flow.Message][]int // in due, ascending
	first     map[flow.Message]*Record
	at        int // position in due of the last record
	highest   int // position of the first occurrence of the last message but repeats
}

// none stands for the position before the first.
const none = -1

// sequence compares what is due of a key with its records, which are in the order
// of partition and offset.
func (c *check) sequence(due []due, got []occurrence) {
	w := walk{check: c, due: due, positions: map[flow.Message][]int{}, first: map[flow.Message]*Record{}, at: none, highest: none}
	for i := range due {
		m := due[i].message
		w.positions[m] = append(w.positions[m], i)
	}
	for _, o := range got {
		if w.positions[o.message] == nil {
			c.foundf(Unaccounted, o.message, o.record, "no input makes it")
			continue
		}
		if at := got[0].record.Partition; o.record.Partition != at {
			c.foundf(Disordered, o.message, o.record, "the key is in partition %d too", at)
		}
		w.step(o)
	}
	w.end(got)
}

func (w *walk) step(o occurrence) {
	position := w.positions[o.message][0]
	first := w.first[o.message]
	switch {
	case first != nil:
		w.check.repeated(o.message, o.record, first)
		w.check.sameIDs(o, first)
	case position < w.highest:
		w.check.foundf(Disordered, o.message, o.record, "it comes behind message %s", w.due[w.highest].message.Place())
	}
	w.move(o)
	if first == nil {
		w.first[o.message] = o.record
		w.highest = max(w.highest, position)
		w.check.descent(o, w.due[position].input)
	}
}

// move finds the position of the next record.
func (w *walk) move(o occurrence) {
	limit := w.at + 1
	for limit < len(w.due) && w.first[w.due[limit].message] == nil && w.due[limit].message != o.message {
		limit++ // it was never there: that is lost or disordered, and found as that
	}
	next := none
	for _, p := range w.positions[o.message] {
		if p <= limit {
			next = p
		}
	}
	if next == none {
		w.check.foundf(NoRewind, o.message, o.record, "it comes after message %s, and message %s, which was there before, did not come again in between",
			w.due[w.at].message.Place(), w.due[limit].message.Place())
		next = w.positions[o.message][0]
	}
	w.at = next
}

// end tests that the key was left where its input ends, and that nothing of it is
// missing.
func (w *walk) end(got []occurrence) {
	for p := w.at + 1; p < len(w.due) && w.at != none; p++ {
		if w.first[w.due[p].message] != nil {
			o := got[len(got)-1]
			w.check.foundf(NoRewind, o.message, o.record, "it is the last one, and message %s, which was there before, did not come again behind it", w.due[p].message.Place())
			break
		}
	}
	for i := range w.due {
		d := &w.due[i]
		if w.first[d.message] == nil && w.positions[d.message][0] == i {
			w.check.foundf(Lost, d.message, d.input, "nothing was made of its input")
		}
	}
}
