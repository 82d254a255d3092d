package kafka

import (
	"context"
	"sync"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// ledger is what is in flight of one claim and how far it may be committed.
//
// Every record that is read gets an entry, in the order of offsets. An entry
// closes when its message is settled and the broker has confirmed all outputs
// that came of it. The watermark is the offset of the first entry that is not
// closed: it never passes one, however many behind it are.
//
// A ledger belongs to one claim. When the claim ends it is dead: what is
// confirmed later moves nothing, so a late answer cannot advance a claim of
// the same partition that was taken up again.
type ledger struct {
	mu      sync.Mutex
	ring    []entry // a power of two long; entry seq is at seq & (len-1)
	head    int64   // first entry that is not closed
	tail    int64   // entry that the next record gets
	next    int64   // offset behind the last record that was opened
	bytes   int64   // of all entries from head to tail, outputs included
	unsent  int64   // bytes of those that wait for outputs to be stored
	pending int64   // entries that something is still expected of
	held    int64   // pieces of other work that the drain waits for
	lent    int64   // bytes sent beside the entries and not stored yet
	kept    int64   // bytes of outputs that wait for the messages before theirs
	dead    bool

	changed chan struct{} // closed at the next change; nil while nobody waits
}

type entry struct {
	offset int64
	bytes  int64
	// waits is how many outputs are not confirmed yet, or one of the states.
	waits int32
}

// States of an entry that waits for no output.
const (
	closed    int32 = 0
	open      int32 = -1 // handed out, not settled
	abandoned int32 = -2 // will not be settled by this claim: it stays below the watermark of whoever comes next
)

const ledgerStart = 1024

func newLedger() *ledger {
	return &ledger{ring: make([]entry, ledgerStart), next: -1}
}

func (l *ledger) at(seq int64) *entry { return &l.ring[seq&int64(len(l.ring)-1)] }

// openAll makes entries for consecutive records and returns the first one's.
func (l *ledger) openAll(records []Record) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.tail
	for l.tail-l.head+int64(len(records)) > int64(len(l.ring)) {
		l.grow()
	}
	for i := range records {
		n := int64(records[i].Size())
		*l.at(l.tail) = entry{offset: records[i].Offset, bytes: n, waits: open}
		l.tail++
		l.bytes += n
	}
	l.pending += int64(len(records))
	l.next = records[len(records)-1].Offset + 1
	return first
}

// pass says that there are no records below an offset but those that were opened.
// Without it a group would never be at the end of a log that ends with the marker of
// a transaction.
func (l *ledger) pass(offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = max(l.next, offset)
	l.signal()
}

func (l *ledger) grow() {
	ring := make([]entry, 2*len(l.ring))
	for seq := l.head; seq < l.tail; seq++ {
		ring[seq&int64(len(ring)-1)] = *l.at(seq)
	}
	l.ring = ring
}

// settlement says that the message of an entry is done with and how many
// outputs, of how many bytes, it is going to have.
type settlement struct {
	entry   int64
	outputs int32
	bytes   int64
}

// settle closes entries without outputs and lets the others wait for theirs.
// It comes before the outputs are enqueued: a confirmation may be quicker than
// the call that enqueues. Who settles an entry twice has made its outputs
// twice: the entry waits for all of them, if it is not closed yet.
func (l *ledger) settle(done []settlement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range done {
		d, e := &done[i], l.at(done[i].entry)
		if sabotage.Broken(sabotage.DeliverFirst) {
			d.outputs = 0
		}
		if d.entry < l.head || e.waits == abandoned {
			continue
		}
		if e.waits > 0 {
			l.unsent -= e.bytes
		}
		was := e.waits
		e.waits = max(e.waits, closed) + d.outputs
		e.bytes += d.bytes
		l.bytes += d.bytes
		if e.waits > 0 {
			l.unsent += e.bytes
		}
		l.count(was, e.waits)
	}
	l.advance()
}

// confirm takes one output off the entry of each.
func (l *ledger) confirm(outs []client.Ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range outs {
		e := l.at(outs[i].Entry)
		if outs[i].Entry < l.head || e.waits <= 0 {
			continue // of an entry that was given up, or closed before it was settled once more
		}
		e.waits--
		if e.waits == closed {
			l.unsent -= e.bytes
		}
		l.count(e.waits+1, e.waits)
	}
	l.advance()
}

// count keeps pending right when an entry goes from one state to another.
func (l *ledger) count(was, is int32) {
	switch {
	case was != closed && is == closed:
		l.pending--
	case was == closed && is != closed:
		l.pending++
	}
}

// abandon gives up an entry that was not settled.
func (l *ledger) abandon(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.at(seq); seq >= l.head && e.waits == open {
		e.waits = abandoned
		l.pending--
		l.signal()
	}
}

// advance moves head over what is closed.
func (l *ledger) advance() {
	for l.head < l.tail {
		e := l.at(l.head)
		if e.waits != closed {
			break
		}
		l.bytes -= e.bytes
		l.head++
	}
	l.signal()
}

// signal wakes who waits. The caller holds the lock.
func (l *ledger) signal() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// watermark is the first offset that is not done; ok is false while nothing
// was read and when the ledger is dead.
func (l *ledger) watermark() (offset int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.dead || l.next < 0:
		return 0, false
	case l.head == l.tail:
		return l.next, true
	default:
		return l.at(l.head).offset, true
	}
}

// isDead tells whether the claim is over.
func (l *ledger) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// kill makes the ledger's watermark unusable for good.
func (l *ledger) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	l.signal()
}

// awaitStored waits until less than maxBytes of what is settled, inputs and
// outputs, waits for the broker. What is not settled yet does not count: who
// waits here may be the one who is to settle it.
func (l *ledger) awaitStored(ctx context.Context, maxBytes int64) error {
	return l.await(ctx, func() bool { return l.unsent+l.lent < maxBytes })
}

// inFlight is how many entries, and bytes, lie between the watermark and the
// end of what was read.
func (l *ledger) inFlight() (entries, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tail - l.head, l.bytes
}

// awaitRoom waits until less than both bounds is in flight and returns how
// many entries, and bytes, there is room for.
func (l *ledger) awaitRoom(ctx context.Context, maxEntries, maxBytes int64) (entries, bytes int64, err error) {
	err = l.await(ctx, func() bool {
		entries, bytes = maxEntries-(l.tail-l.head), maxBytes-l.bytes-l.lent-l.kept
		return entries > 0 && bytes > 0
	})
	return entries, bytes, err
}

// awaitQuiet waits until nothing is expected of any entry any more and nothing
// else is at work.
func (l *ledger) awaitQuiet(ctx context.Context) error {
	return l.await(ctx, func() bool { return l.pending == 0 && l.held == 0 })
}

// hold adds n to the pieces of other work.
func (l *ledger) hold(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held += n
	l.signal()
}

// holds is how many pieces of other work are under way.
func (l *ledger) holds() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// lend counts bytes that are in flight beside the entries; a negative number
// gives them back.
func (l *ledger) lend(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent += bytes
	l.signal()
}

// await waits until holds, which is called with the lock held, does.
func (l *ledger) await(ctx context.Context, holds func() bool) error {
	for {
		l.mu.Lock()
		if holds() {
			l.mu.Unlock()
			return nil
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
