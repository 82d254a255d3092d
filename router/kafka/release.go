package kafka

import (
	"sync"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// release holds what came of a claim's messages until all messages before them are
// at their end too: a transaction has exactly the outputs of the messages below the
// offsets that it commits.
type release struct {
	mu    sync.Mutex
	ring  []slot // a power of two long; the slot of an entry is at entry & (len-1)
	head  int64  // the first entry that is not released
	end   int64  // behind the last one that is settled
	ready int64  // how many are settled and not released
	bytes int64  // of their outputs
	over  bool   // the entry at head was given up: nothing behind it is ever released
	slow  int64  // the head that was told of as slow; -1: none
}

// slot is what came of one message.
type slot struct {
	outs    []heldOutput
	bytes   int64
	settled bool
	given   bool // up
}

// heldOutput is an output with memory of its own.
type heldOutput struct {
	topic string
	out   client.Output
}

const releaseStart = 1024

func newRelease() *release { return &release{ring: make([]slot, releaseStart), slow: -1} }

func (r *release) at(seq int64) *slot { return &r.ring[seq&int64(len(r.ring)-1)] }

// reserve makes room for an entry. The caller holds the lock.
func (r *release) reserve(seq int64) {
	for seq-r.head >= int64(len(r.ring)) {
		ring := make([]slot, 2*len(r.ring))
		for s := r.head; s < r.end; s++ {
			ring[s&int64(len(ring)-1)] = *r.at(s)
		}
		r.ring = ring
	}
	r.end = max(r.end, seq+1)
}

// settled is one message that is at its end.
type settled struct {
	entry int64
	outs  []heldOutput
	bytes int64
}

// settle takes what came of messages. It returns those that can never be released,
// since a message before them was given up: they are to be given up too.
func (r *release) settle(done []settled) (lost []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range done {
		if r.over {
			lost = append(lost, d.entry)
			continue
		}
		if d.entry < r.head {
			continue // it is at its end already
		}
		r.reserve(d.entry)
		s := r.at(d.entry)
		if s.settled || s.given {
			continue
		}
		*s = slot{outs: d.outs, bytes: d.bytes, settled: true}
		r.ready++
		r.bytes += d.bytes
	}
	return lost
}

// giveUp says that an entry will not be settled. It returns those that can never be
// released for it.
func (r *release) giveUp(seq int64) (lost []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || seq < r.head {
		return nil
	}
	r.reserve(seq)
	if s := r.at(seq); !s.settled {
		s.given = true
	}
	return r.stopAtGiven()
}

// stopAtGiven drops what is behind the head where that was given up. The caller
// holds the lock.
func (r *release) stopAtGiven() (lost []int64) {
	if r.head >= r.end || !r.at(r.head).given {
		return nil
	}
	r.over = true
	for seq := r.head; seq < r.end; seq++ {
		if r.at(seq).settled {
			lost = append(lost, seq)
		}
	}
	clear(r.ring)
	r.ready, r.bytes = 0, 0
	return lost
}

// take releases what is at its end with all before it, up to maxMessages and about
// maxBytes, and appends its outputs. next is the first entry that is not released then.
func (r *release) take(outs []heldOutput, maxMessages, maxBytes int64) (_ []heldOutput, next, n, bytes int64, lost []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.head < r.end && n < maxMessages && bytes < maxBytes {
		s := r.at(r.head)
		if !s.settled {
			break
		}
		outs = append(outs, s.outs...)
		bytes += s.bytes
		*s = slot{}
		r.head++
		r.ready--
		n++
	}
	r.bytes -= bytes
	return outs, r.head, n, bytes, r.stopAtGiven()
}

// isReady tells whether take would release something.
func (r *release) isReady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head < r.end && r.at(r.head).settled
}

// slowHead is the first entry that is not settled, where it keeps back half of what
// may be in flight or more. Each is told of once.
func (r *release) slowHead(maxEntries, maxBytes int64) (head int64, slow bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || r.slow == r.head || r.head < r.end && r.at(r.head).settled || (r.ready < maxEntries/2 && r.bytes < maxBytes/2) {
		return 0, false
	}
	r.slow = r.head
	return r.head, true
}
