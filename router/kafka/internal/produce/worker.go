package produce

import (
	"errors"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// run takes what is queued and delivers it batch by batch until the producer
// is fenced. It is the one goroutine that tells fates of the partition.
func (w *partition) run() {
	for w.wait() {
		outs := w.swap()
		for len(outs) > 0 {
			n, bytes := cut(outs, w.limit())
			base, fate, err := w.deliver(outs[:n], bytes)
			switch {
			case err == nil:
				w.tell(outs[:n], base, client.Stored, nil)
			case w.p.broken.goOn:
				w.tell(outs[:n], -1, fate, err)
			default:
				w.fail(outs, n, fate, err)
				return
			}
			outs = outs[n:]
		}
	}
	w.fail(nil, 0, client.NotStored, errCut)
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

// awaitOutputs waits until the queue is not empty. A partition that stays idle
// gives memory back; one that is only waiting for its turn keeps its slabs.
func (w *partition) awaitOutputs() bool {
	const idleAfter = time.Second
	if w.queued() > 0 {
		return true
	}
	w.retry.Reset(idleAfter)
	defer w.retry.Stop()
	for w.queued() == 0 {
		select {
		case <-w.wake:
		case <-w.retry.C:
			w.shrink()
		case <-w.p.fence.cut:
			return false
		}
	}
	return true
}

func (w *partition) linger(d time.Duration) {
	w.timer.Reset(d)
	defer w.timer.Stop()
	for w.lingers(w.limit()) {
		select {
		case <-w.wake:
		case <-w.timer.C:
			return
		case <-w.p.fence.cut:
			return
		}
	}
}

// fail fences the producer, waits until that is done, and then tells the
// fates: of the batch that failed, the first n outputs, and of all behind it,
// which were never sent.
func (w *partition) fail(outs []client.Output, n int, fate client.Fate, err error) {
	if w.p.broken.tellFirst {
		w.tell(outs[:n], -1, fate, err)
		outs, n = outs[n:], 0
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
	w.tell(outs[:n], base, fate, err)
	w.tell(outs[n:], -1, client.NotStored, why)
	for { // Enqueue has refused since before the cut, so this ends
		rest := w.swap()
		if len(rest) == 0 {
			return
		}
		w.tell(rest, -1, client.NotStored, why)
	}
}
