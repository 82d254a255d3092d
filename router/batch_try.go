package router

import (
	"context"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// do works off items: those that fail are tried again together, and when all
// have come to an end their outputs are sent in the order of the messages.
func (w *batchWorker) do(items []batchItem) error {
	ctx := w.claim.Context()
	if len(items) > 1 && w.stage.oneByOne(w.claim) {
		return w.doEach(items)
	}
	var open []int // indexes of items that are not at their end
	for i := range items {
		if items[i].fate == toTry {
			w.stage.stats.in.Add(1)
			open = append(open, i)
		}
	}
	for len(open) > 0 {
		if !w.claim.MayFinish() {
			w.giveUp(items)
			return nil
		}
		again, wait := w.try(ctx, items, open)
		if ctx.Err() != nil {
			w.giveUp(items)
			return nil //nolint:nilerr // the claim has ended: that is no failure of these messages
		}
		if open = again; len(open) > 0 && !pause(w.claim, wait) {
			// It stops. What waits goes to the log, so that nothing behind it is
			// repeated.
			for _, i := range open {
				items[i].fate, items[i].notBefore = toPark, time.Now().Add(min(wait, w.stage.longestHold()))
			}
			open = nil
		}
	}
	return w.finish(items)
}

// try calls the filter with the open items and returns those to be tried
// again, and the wait before that. The attempt does not count where the stage's
// breaker holds them all.
func (w *batchWorker) try(ctx context.Context, items []batchItem, open []int) (again []int, wait time.Duration) {
	w.at.begin(items[open[0]].record, clock())
	t, o, wait := w.stage.mayTry(&w.at, w.claim)
	if o != succeeded {
		return open, wait
	}
	first := &items[open[0]]
	alone, o, wait := w.stage.mayBegin(&w.at, w.claim, first.record.Offset, &first.f)
	if o != succeeded {
		w.stage.breaker.ended(t)
		return w.notBegun(first, open, o, wait)
	}
	defer func() { alone.end(first.fate == toSettle || first.fate == toPoison) }()
	errs := w.call(ctx, items, open)
	w.at.end(clock())
	w.at.rest()
	w.stage.latency.take(&w.at.took)
	if ctx.Err() != nil {
		w.stage.breaker.ended(t)
		return open, 0
	}
	if held, next := w.stage.breaker.told(t, together(errs), errs[0]); held {
		for j, i := range open {
			items[i].f.note(errs[j])
			w.stage.logPanic(items[i].d, errs[j])
		}
		return open, max(next, 0)
	}
	return w.judge(items, open, errs)
}

// judge says what becomes of the open items after an attempt, each by what it has failed
// itself.
func (w *batchWorker) judge(items []batchItem, open []int, errs []error) (again []int, wait time.Duration) {
	for j, i := range open {
		item := &items[i]
		verdict, after := pipeline.Judge(errs[j])
		o, after := w.stage.judge(item.d, errs[j], verdict, after, &item.f)
		switch o {
		case succeeded:
			item.fate = toSettle
		case failed:
			item.fate = toPoison
		case aside:
			item.fate, item.notBefore = toPark, time.Now().Add(after)
		default:
			wait = max(wait, after)
			again = append(again, i)
		}
	}
	return again, wait
}

// call runs one attempt.
func (w *batchWorker) call(ctx context.Context, items []batchItem, open []int) []error {
	ds := make([]*pipeline.Delivery, len(open))
	made := make([]*pipeline.Outputs, len(open))
	errs := make([]error, len(open))
	for j, i := range open {
		d := *items[i].d
		d.Attempt = items[i].f.attempts + 1
		ds[j], made[j] = &d, items[i].outs
		made[j].Reset()
	}
	w.in.batch(ctx, ds, made, errs)
	return errs
}
