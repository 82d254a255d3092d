package router

import (
	"bytes"
	"context"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// queueUp parks an item whose key is parked, and before it those of its key that
// were gathered already: else it would stand before them.
func (w *batchWorker) queueUp(items []batchItem, item batchItem) ([]batchItem, error) {
	var kept []batchItem
	for _, one := range append(items, item) {
		if !sameKey(one.record.Key, item.record.Key) {
			kept = append(kept, one)
		} else if err := w.park(&one); err != nil {
			return nil, err
		}
	}
	return kept, w.out.kafka.Flush() // the next batch may be long in coming
}

func sameKey(a, b []byte) bool { return a != nil && b != nil && bytes.Equal(a, b) }

// park parks an item. While there is no room it waits, and lets what is parked go
// on meanwhile. When the claim drains first the item is abandoned.
func (w *batchWorker) park(item *batchItem) error {
	for {
		room, err := w.parker.park(w.out.kafka, item.entry, item.record, &item.f, item.notBefore)
		if err != nil || room {
			return err
		}
		if !w.awaitRoom() {
			w.claim.Abandon(item.entry)
			return nil
		}
		if err := w.runParked(); err != nil {
			return err
		}
	}
}

// awaitRoom waits a little, or until there is a run. It is false when the claim
// drains.
func (w *batchWorker) awaitRoom() bool {
	t := time.NewTimer(roomPoll)
	defer t.Stop()
	select {
	case <-w.wake:
	case <-t.C:
	case <-w.claim.Draining():
		return false
	}
	return true
}

// start implements parkedRunner.
func (w *batchWorker) start(run *parkedRun) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return false
	}
	w.runs = append(w.runs, run)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true
}

// runParked tries the parked messages that are waiting for it. What was settled
// before them is handed over first.
func (w *batchWorker) runParked() error {
	w.mu.Lock()
	runs := w.runs
	w.runs = nil
	w.mu.Unlock()
	for i, run := range runs {
		err := w.out.kafka.Flush()
		if err == nil {
			err = run.each(&w.out, &w.read, w.tryParked)
		} else {
			run.end()
		}
		if err != nil {
			for _, run := range runs[i+1:] {
				run.end()
			}
			return err
		}
	}
	return nil
}

// refuseRuns takes no more runs, and gives back those that are left.
func (w *batchWorker) refuseRuns() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	for _, run := range w.runs {
		run.end()
	}
	w.runs = nil
}

func (w *batchWorker) tryParked(item *parkedItem) result {
	w.at.begin(&item.record, clock())
	o, wait := w.stage.step(w.claim.Context(), &w.at, w.claim, item.d, w.single, &w.parked, &item.f)
	w.at.end(clock())
	w.at.rest()
	w.stage.latency.take(&w.at.took)
	if o != succeeded {
		return result{outcome: o, wait: wait}
	}
	return result{outcome: o, outs: w.out.records(item.d, &w.parked)}
}

// single is an attempt at one message, as a batch of one.
func (w *batchWorker) single(ctx context.Context, d *pipeline.Delivery, out *pipeline.Outputs) error {
	errs := make([]error, 1)
	w.in.batch(ctx, []*pipeline.Delivery{d}, []*pipeline.Outputs{out}, errs)
	return errs[0]
}
