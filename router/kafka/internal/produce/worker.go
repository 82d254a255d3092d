package produce

import (
	"errors"
	"time"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// run delivers what is queued batch by batch until the producer is fenced. It is
// the one goroutine that tells fates of the partition.
func (w *partition) run() {
	for w.wait() {
		b := w.take()
		base, fate, err := w.deliver(b)
		switch {
		case err == nil:
			w.tell(b.tickets, base, client.Stored, nil)
			w.p.memory.giveBack(b) // only here: nobody has the batch any more
		case w.p.broken.goOn || sabotage.Broken(sabotage.StopOnFailure):
			w.tell(b.tickets, -1, fate, err)
		default:
			w.fail(b.tickets, fate, err)
			return
		}
	}
	w.fail(nil, client.NotStored, errCut)
}

// limit is the size of a batch before compression.
func (w *partition) limit() int {
	return min(w.p.cfg.BatchBytes, int(w.topic.maxBytes.Load()))
}

// wait returns true when something is queued and, with a linger, is a full
// batch, waited for, or has waited long enough; false when the producer is
// fenced.
func (w *partition) wait() bool {
	if !w.awaitOutputs() {
		return false
	}
	if linger := w.p.cfg.Linger; linger > 0 {
		w.linger(linger)
	}
	return !w.p.isCut()
}

// awaitOutputs waits until the queue is not empty.
func (w *partition) awaitOutputs() bool {
	for w.queued() == 0 {
		select {
		case <-w.wake:
		case <-w.p.fence.cut:
			return false
		}
	}
	return true
}

func (w *partition) linger(d time.Duration) {
	since, more := w.lingers(w.limit())
	w.timer.Reset(time.Until(since.Add(d)))
	defer w.timer.Stop()
	for more {
		select {
		case <-w.wake:
		case <-w.timer.C:
			return
		case <-w.p.fence.cut:
			return
		}
		_, more = w.lingers(w.limit())
	}
}

// fail fences the producer, waits until that is done, and then tells the
// fates: of the batch that failed, and of all behind it, which were never sent.
func (w *partition) fail(outs []client.Ticket, fate client.Fate, err error) {
	if w.p.broken.tellFirst {
		w.tell(outs, -1, fate, err)
		outs = nil
	}
	if !errors.Is(err, errCut) {
		w.p.Fence(err)
	}
	<-w.p.fence.told
	why := w.p.fencedErr()
	if errors.Is(err, errCut) {
		err = why
	}
	base := int64(-1)
	if w.out {
		base, fate, err = w.settle(fate, err)
	}
	w.tell(outs, base, fate, err)
	for b := w.take(); b != nil; b = w.take() { // Enqueue has refused since before the cut, so this ends
		w.tell(b.tickets, -1, client.NotStored, why)
	}
}
