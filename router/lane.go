package router

import (
	"sync"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// lane is an ordered queue for the keys that hash to it, worked off by a
// goroutine of its own. A key whose head waits for its next attempt is held:
// what comes for it queues up behind the head, and the other keys go on.
type lane struct {
	worker *laneWorker
	wake   chan struct{} // capacity 1: there is something in the queue

	mu    sync.Mutex
	queue []laneItem

	// The goroutine's own.
	spare   []laneItem // what the queue is swapped with
	held    map[string]*heldKey
	due     heldKeys
	out     outbox
	outputs pipeline.Outputs
	text    textSlab
	at      activity
	flushed time.Time
	done    int64 // messages at their end since the last flush

	lanePlace
	call laneCall
}

func newLane(w *laneWorker) *lane {
	l := &lane{
		worker: w, wake: make(chan struct{}, 1), held: map[string]*heldKey{},
		out:       outbox{stage: w.stage, kafka: w.claim.NewOutbox(), parker: w.parker},
		lanePlace: lanePlace{unsent: noEntry, waits: noEntry},
		call:      laneCall{claim: w.claim, exactly: w.stage.node.ExactlyOnce},
	}
	w.stage.activities.add(&l.at, w.claim.Context())
	return l
}

// add appends items, which are of this lane, and wakes it.
func (l *lane) add(items []laneItem) {
	l.mu.Lock()
	idle := len(l.queue) == 0
	l.queue = append(l.queue, items...)
	l.mu.Unlock()
	if idle {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// swap takes the whole queue. It is valid until the next swap.
func (l *lane) swap() []laneItem {
	clear(l.spare)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare, l.queue = l.queue, l.spare[:0]
	return l.spare
}

// run works until the claim ends.
func (l *lane) run() {
	l.flushed = time.Now()
	for {
		items := l.swap()
		err := l.takeAll(items)
		if err == nil {
			err = l.makeWay()
		}
		if err == nil {
			err = l.resume()
		}
		if err != nil {
			l.worker.claim.Fail(err)
			return
		}
		if len(items) > 0 {
			continue
		}
		if err := l.flush(); err != nil {
			return // the claim is over
		}
		if !l.await() {
			if err := l.leave(); err != nil {
				l.worker.claim.Fail(err)
			}
			return
		}
	}
}

func (l *lane) takeAll(items []laneItem) error {
	for i := range items {
		l.rest = items[i+1:]
		if err := l.take(&items[i]); err != nil {
			return err
		}
	}
	return nil
}

// await waits for something to do. It is false when nothing can come any more:
// the claim drains, and all that has been handed to the lane is at its end.
func (l *lane) await() bool {
	var timer <-chan time.Time
	if first := l.due.first(); first != nil {
		t := time.NewTimer(time.Until(first.due))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-l.wake:
		return true
	default:
	}
	select {
	case <-l.wake:
	case <-timer:
	case <-l.worker.closed:
		// Closed after the last hand-over: what is in the queue now is all.
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.queue) > 0
	}
	return true
}

// take works on an item, or queues it behind the head of its key. A parked run
// does not wait: where its key is held too, what is held came later.
func (l *lane) take(item *laneItem) error {
	if item.run != nil {
		return l.runParked(item.run)
	}
	if item.record.Key != nil && len(l.held) > 0 {
		if h := l.held[string(item.record.Key)]; h != nil {
			h.items = append(h.items, *item)
			return nil
		}
	}
	return l.work(item)
}

// resume works on the keys whose time has come: the head, and what is behind
// it until one has to wait again.
func (l *lane) resume() error {
	for first := l.due.first(); first != nil && !time.Now().Before(first.due); first = l.due.first() {
		h := l.due.pop()
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

// work makes one attempt, or parks a message whose key is parked. Past the point
// up to which a draining claim goes on, it abandons the message instead.
func (l *lane) work(item *laneItem) error {
	w := l.worker
	if !w.mayStart(item.entry) {
		w.abandon(item.entry)
		return nil
	}
	switch {
	case item.fate == toPoison:
		return l.poison(item)
	case item.fate == toPark:
		return l.park(item)
	case w.parker.isParked(item.record.Key), item.entry <= w.way.upTo():
		item.notBefore = item.due
		return l.park(item)
	case !item.due.IsZero() && time.Until(item.due) > 0: // begun by the loop
		l.hold(item)
		return nil
	}
	if item.d == nil {
		d, err := item.ds.read(item.index, w.stage, w.claim, item.record, &l.text)
		item.d = d
		if err != nil {
			item.f.note(err)
			return l.poison(item)
		}
		w.stage.stats.in.Add(1)
	}
	return l.try(item)
}

// try makes an attempt.
func (l *lane) try(item *laneItem) error {
	w := l.worker
	begun := clock()
	l.at.begin(item.record, begun)
	o, wait := w.stage.step(l.call.begin(l.lowest(item)), &l.at, w.claim, item.d, item.in.attempt, &l.outputs, &item.f)
	l.call.end()
	now := clock()
	l.at.end(now)
	l.at.rest()
	w.pace.add(now - begun)
	switch o {
	case succeeded:
		err := l.out.settle(item.entry, item.d, &l.outputs)
		if item.f.refused(err) {
			return l.poison(item)
		}
		return l.settled(item.entry, err)
	case failed:
		return l.poison(item)
	case aside:
		item.notBefore = time.Now().Add(wait)
		item.fate = toPark
		return l.park(item)
	case displaced:
		item.fate, item.notBefore = toPark, time.Time{}
		return l.park(item)
	case again:
		item.d, item.due, item.refused = anew(item.d), time.Now().Add(wait), wait == untilStopped
		l.hold(item)
	case ended:
		w.abandon(item.entry)
	}
	return nil
}

// hold lets the item's key wait. A message without a key waits alone.
func (l *lane) hold(item *laneItem) {
	h := &heldKey{items: []laneItem{*item}, due: item.due}
	if key := item.record.Key; key != nil {
		h.key, h.keyed = string(key), true
		l.held[h.key] = h
	}
	l.due.push(h)
	l.stale = true
}

// leave parks what waits for its next attempt, because the lane ends: so what
// others did behind it need not be repeated. What was not begun, or finds no room,
// is abandoned and read again.
func (l *lane) leave() error {
	for h := l.due.pop(); h != nil; h = l.due.pop() {
		for i := range h.items {
			if err := l.leaveOne(&h.items[i]); err != nil {
				return err
			}
		}
	}
	return l.flush()
}

func (l *lane) leaveOne(item *laneItem) error {
	w := l.worker
	switch {
	case !w.mayStart(item.entry), !w.parker.hasRoom():
		w.abandon(item.entry)
		return nil
	case item.fate == toPoison:
		return l.poison(item)
	case item.fate == toTry && !item.refused:
		item.notBefore = item.due
	}
	return l.park(item)
}

// settled counts a message that is at its end. It sends what is settled when
// there is enough of it, or it has waited for long enough.
func (l *lane) settled(e kafka.Entry, err error) error {
	if err != nil {
		return err
	}
	l.done++
	l.unsent = min(l.unsent, e)
	n, bytes := l.out.kafka.Settled()
	if n < laneFlush && bytes < flushBytes && time.Since(l.flushed) < flushAfter {
		return nil
	}
	return l.flush()
}

// laneFlush is how many messages of a lane share a hand-over to the producer.
const laneFlush = 16

// flush hands over what is settled. Only then the loop may take over from the
// lanes: what it flushes must come behind this.
func (l *lane) flush() error {
	l.flushed = time.Now()
	l.worker.stage.latency.take(&l.at.took)
	if err := l.out.kafka.Flush(); err != nil {
		return err
	}
	l.worker.left.Add(-l.done)
	l.done, l.unsent = 0, noEntry
	return nil
}
