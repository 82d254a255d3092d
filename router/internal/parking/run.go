package parking

import "time"

// Item is a live message.
type Item struct {
	Entry Entry

	// Of is the message's own entry: other than Entry where it is a replay.
	Of Entry

	Rank     int64
	Offset   int64 // of its record, PARK or REPLAY
	Attempts int
	Starts   int
	Held     bool

	// Payload is what the record says, with the message: the record itself, or
	// [Replay.AsPark]. Nil: not in the cache, so fetch the record at Offset and
	// read it with [DecodeParked]. Nobody may change it.
	Payload *Park
}

// Again is a PARK that takes the place of the item's record in the log, with the
// same state: what a clean-up writes. Of an attempt that failed the caller
// changes what is new (attempts, times, errors, Held) and sets Starts to 0. The
// payload is the item's, or was fetched; it is not changed.
func (it *Item) Again(epoch int64, payload *Park) *Park {
	p := *payload
	p.Epoch, p.Rank, p.Prev = epoch, it.Rank, it.Offset
	p.Attempts, p.Starts, p.Held = it.Attempts, it.Starts, it.Held
	return &p
}

// Run is a key that runs: its head, and what follows it and may run with it.
type Run struct {
	Items []Item // in the order of the key; at least one

	queue int32
	over  bool
}

// NextDue is the earliest time at which Take has something, and false where it
// will have nothing until the index changes. A time that has passed, also the
// zero time, means at once.
func (ix *Index) NextDue() (time.Time, bool) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if len(ix.due.items) == 0 {
		return time.Time{}, false
	}
	return timeOf(ix.headOf(ix.due.items[0]).notBefore), true
}

// Take takes out the key whose head is due first, if one is due at now, and
// marks it as running until [Index.Ran]. Behind the head come at most limit-1
// messages of the key that are due too. Nothing is taken of a key that runs, or
// whose head is held or is being copied.
//
// The order of a run: START confirmed and applied, then the attempts in the
// order of Items, then the outputs confirmed, then DONE or PARK confirmed and
// applied, then Ran. So a key is never free before its end is in the log.
func (ix *Index) Take(now time.Time, limit int) (*Run, bool) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if len(ix.due.items) == 0 {
		return nil, false
	}
	qi, at := ix.due.items[0], nanos(now)
	if ix.headOf(qi).notBefore > at {
		return nil, false
	}
	q := ix.queues.at(qi)
	q.running = true
	ix.running++
	run := &Run{queue: qi}
	for si := q.head; si != none; {
		s := ix.slots.at(si)
		if len(run.Items) > 0 && (len(run.Items) >= limit || s.notBefore > at || s.flags&(isHeld|isCopied) != 0) {
			break
		}
		s.flags |= isRunning
		run.Items = append(run.Items, ix.item(si))
		si = s.next
	}
	ix.refresh(qi)
	return run, true
}

// Ran gives back a key that Take has handed out, whatever came of its messages:
// those that are still live may be taken again. Apply what the log says of them
// first. A second call with the same run does nothing.
func (ix *Index) Ran(run *Run) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	defer ix.settle()
	if run.over {
		return
	}
	run.over = true
	for i := range run.Items {
		if si, ok := ix.lookup(run.Items[i].Entry); ok {
			ix.slots.at(si).flags &^= isRunning
		}
	}
	ix.queues.at(run.queue).running = false
	ix.running--
	ix.refresh(run.queue)
}

func (ix *Index) item(si int32) Item {
	s := ix.slots.at(si)
	it := Item{
		Entry: ix.entryOf(s), Rank: s.rank, Offset: s.record, Attempts: int(s.attempts), Starts: int(s.starts),
		Held: s.flags&isHeld != 0, Payload: ix.cache.get(si),
	}
	it.Of = ix.ownEntry(si)
	return it
}

func (ix *Index) headOf(qi int32) *slot { return ix.slots.at(ix.queues.at(qi).head) }

// dueBefore orders queues by their heads' times, and by rank where these are
// equal.
func (ix *Index) dueBefore(a, b int32) bool {
	x, y := ix.headOf(a), ix.headOf(b)
	if x.notBefore != y.notBefore {
		return x.notBefore < y.notBefore
	}
	return x.rank < y.rank
}

func (ix *Index) olderThan(a, b int32) bool { return ix.headOf(a).rank < ix.headOf(b).rank }

func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
