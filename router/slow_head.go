package router

import (
	"container/heap"
	"sync/atomic"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// A slow head is a message that keeps too much waiting: where a stage is exactly
// once, what comes of the messages behind it is held in memory until it is at its
// end. The transport says when that is half of what may be held; then the head makes
// way, by being parked:
//
//	it waits for its next attempt, or for its turn  → its lane parks it
//	its lane is at a call, of it or of another      → if that does not end soon its context
//	                                                  is cancelled; what fails then is parked
//
// No attempt counts by that. While the stage's breaker is open nothing makes way: it
// would be the whole pipe.

// way says which messages are to make way: those up to an entry.
type way struct{ entry atomic.Int64 }

func newWay() *way {
	w := &way{}
	w.entry.Store(-1)
	return w
}

func (w *way) upTo() kafka.Entry { return kafka.Entry(w.entry.Load()) }

// make has messages up to an entry make way. Of several calls the highest counts.
func (w *way) make(upTo kafka.Entry) {
	for {
		now := w.entry.Load()
		if now >= int64(upTo) || w.entry.CompareAndSwap(now, int64(upTo)) {
			return
		}
	}
}

// makesWayAfter is how long a call may go on that keeps the head of its partition
// from making way.
const makesWayAfter = 50 * time.Millisecond

// displacedFor is how long a parked message waits that has made way for others of its
// lane.
const displacedFor = time.Second

// crowded is told by the transport of a slow head. It does not keep it.
func (s *stage) crowded(claim *kafka.Claim, head kafka.Entry) {
	s.mu.Lock()
	w, _ := s.workers[claim].(*laneWorker) // a batch keeps what is behind it from being read
	s.mu.Unlock()
	if w == nil {
		return
	}
	if b := s.breaker; b != nil {
		if _, closed := b.pass(); !closed {
			return
		}
	}
	go w.clear(head)
}

// clear has the head make way.
func (w *laneWorker) clear(head kafka.Entry) {
	w.way.make(head)
	calls := make([]int64, len(w.lanes)) // that may keep the head waiting; 0: none
	for i, l := range w.lanes {
		if n, lowest, under := l.call.now(); under && (lowest <= head || l.firstQueued() <= head) {
			calls[i] = n
		}
		l.nudge()
	}
	t := time.NewTimer(makesWayAfter)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.claim.Context().Done():
		return
	}
	for i, n := range calls {
		if n > 0 {
			w.lanes[i].call.interrupt(n)
		}
	}
}

// nudge has the lane look at what it has.
func (l *lane) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// firstQueued is the first message of the queue.
func (l *lane) firstQueued() kafka.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return firstOf(l.queue)
}

// makeWay parks what is held and is to make way, and with it what is behind it of its
// key. Where there is no room it stays, and the pipe waits.
func (l *lane) makeWay() error {
	upTo := l.worker.way.upTo()
	for upTo >= 0 && l.firstHeld() <= upTo && l.worker.parker.hasRoom() {
		h := l.due.popFirst()
		l.stale = true
		if h.keyed {
			delete(l.held, h.key)
		}
		for i := range h.items {
			if err := l.take(&h.items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// popFirst takes the key whose head comes first in the partition.
func (k *heldKeys) popFirst() *heldKey {
	first := 0
	for i, h := range k.byTime {
		if h.items[0].entry < k.byTime[first].items[0].entry {
			first = i
		}
	}
	return heap.Remove(&k.byTime, first).(*heldKey) //nolint:forcetypeassert // nothing else is in it
}
