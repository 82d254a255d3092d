package router

import (
	"context"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// batchWorker runs a filter that takes several messages at once. It gathers
// them over the batches of the transport, in a goroutine that lives as long as
// the claim: what is handed to it is bounded by what a claim may have in
// flight.
type batchWorker struct {
	stage *stage
	claim *kafka.Claim
	max   int
	wait  time.Duration
	in    *input
	queue chan batchItem
	out   outbox
	at    activity
	text  textSlab // of the goroutine that hands over
}

type batchItem struct {
	entry  kafka.Entry
	record *kafka.Record
	d      *pipeline.Delivery
	err    error // it cannot be read
}

func newBatchWorker(s *stage, claim *kafka.Claim) *batchWorker {
	w := &batchWorker{
		stage: s, claim: claim, max: s.node.Batch.Max, wait: s.node.Batch.Wait,
		in: s.byTopic[claim.Topic()], queue: make(chan batchItem),
		out: outbox{stage: s, kafka: claim.NewOutbox()},
	}
	s.activities.add(&w.at, claim.Context())
	go w.run()
	return w
}

// work implements worker: it hands the records over.
func (w *batchWorker) work(b *kafka.Batch, _ *input) error {
	ds := newDeliveries(len(b.Records))
	for i := range b.Records {
		d, err := ds.read(i, w.stage, w.claim, &b.Records[i], &w.text)
		item := batchItem{entry: b.Entry(i), record: &b.Records[i], d: d, err: err}
		select {
		case w.queue <- item:
		case <-w.claim.Draining():
			b.Abandon(i)
			return nil
		}
	}
	return nil
}

// run gathers and works off until the claim ends. What was gathered when it
// begins to drain is worked off still.
func (w *batchWorker) run() {
	for {
		items := w.gather()
		if len(items) == 0 {
			return
		}
		if err := w.do(items); err != nil {
			w.claim.Fail(err)
			return
		}
	}
}

// gather waits for a first item and then for more, up to the batch's size and
// time. Nothing comes any more when it returns none.
func (w *batchWorker) gather() []batchItem {
	var items []batchItem
	select {
	case item := <-w.queue:
		items = append(make([]batchItem, 0, w.max), item)
	case <-w.claim.Draining():
		return nil
	}
	t := time.NewTimer(w.wait)
	defer t.Stop()
	for len(items) < w.max {
		select {
		case item := <-w.queue:
			items = append(items, item)
		case <-t.C:
			return items
		case <-w.claim.Draining():
			return items
		}
	}
	return items
}

// do works off items: those that fail are tried again together, and when all
// have come to an end their outputs are sent in the order of the messages.
func (w *batchWorker) do(items []batchItem) error {
	ctx := w.claim.Context()
	outs := make([]*pipeline.Outputs, len(items))
	fails := make([]failure, len(items))
	var open []int // indexes of items that are not at their end
	for i := range items {
		outs[i] = &pipeline.Outputs{}
		if items[i].err != nil {
			fails[i] = failure{first: items[i].err, last: items[i].err}
			continue
		}
		w.stage.stats.in.Add(1)
		open = append(open, i)
	}
	for attempt := 1; len(open) > 0; {
		if !w.claim.MayFinish() {
			w.giveUp(items)
			return nil
		}
		again, wait, counts := w.try(ctx, attempt, items, outs, fails, open)
		if counts {
			attempt++
		}
		if ctx.Err() != nil {
			w.giveUp(items)
			return nil //nolint:nilerr // the claim has ended: that is no failure of these messages
		}
		if open = again; len(open) > 0 && !pause(w.claim, wait) {
			// What is behind the first open one is read again with it: its
			// outputs may not overtake.
			w.giveUp(items[open[0]:])
			return w.finish(items[:open[0]], outs, fails)
		}
	}
	return w.finish(items, outs, fails)
}

// try calls the filter with the open items and returns those to be tried
// again, and the wait before that. The attempt does not count where the stage's
// breaker holds them all.
func (w *batchWorker) try(ctx context.Context, attempt int, items []batchItem, outs []*pipeline.Outputs, fails []failure, open []int) (again []int, wait time.Duration, counts bool) {
	w.at.begin(items[open[0]].record, clock())
	t, o, wait := w.stage.mayTry(&w.at, w.claim)
	if o != succeeded {
		return open, wait, false
	}
	errs := w.call(ctx, attempt, items, outs, open)
	w.at.end(clock())
	w.at.rest()
	w.stage.latency.take(&w.at.took)
	if ctx.Err() != nil {
		w.stage.breaker.ended(t)
		return open, 0, false
	}
	if held, next := w.stage.breaker.told(t, together(errs), errs[0]); held {
		for j, i := range open {
			fails[i].note(errs[j])
			w.stage.logPanic(items[i].d, errs[j])
		}
		return open, max(next, 0), false
	}
	return w.judge(attempt, items, fails, open, errs)
}

// judge says what becomes of the open items after an attempt that counts.
func (w *batchWorker) judge(attempt int, items []batchItem, fails []failure, open []int, errs []error) (again []int, wait time.Duration, counts bool) {
	for j, i := range open {
		verdict, after := pipeline.Judge(errs[j])
		switch verdict {
		case pipeline.Done:
			fails[i] = failure{attempts: attempt}
			continue
		case pipeline.Skipped:
			w.stage.stats.skipped.Add(1)
			fails[i] = failure{attempts: attempt}
			continue
		case pipeline.Again, pipeline.Rejected:
		}
		f := &fails[i]
		f.attempts = attempt
		f.note(errs[j])
		w.stage.logPanic(items[i].d, errs[j])
		if verdict == pipeline.Rejected || attempt >= w.stage.node.Attempts {
			continue
		}
		w.stage.stats.retried.Add(1)
		if after < 0 {
			after = jitter(w.stage.node.Backoff.Delay(attempt))
		}
		wait = max(wait, after)
		again = append(again, i)
	}
	return again, wait, true
}

// call runs one attempt; a panic or a time-out fails all of its items.
func (w *batchWorker) call(ctx context.Context, attempt int, items []batchItem, outs []*pipeline.Outputs, open []int) []error {
	ds := make([]*pipeline.Delivery, len(open))
	made := make([]*pipeline.Outputs, len(open))
	errs := make([]error, len(open))
	for j, i := range open {
		d := *items[i].d
		d.Attempt = attempt
		ds[j], made[j] = &d, outs[i]
		made[j].Reset()
	}
	if err := w.guarded(ctx, ds, made, errs); err != nil {
		for j := range errs {
			made[j].Reset()
			errs[j] = err
		}
	}
	return errs
}

func (w *batchWorker) guarded(ctx context.Context, ds []*pipeline.Delivery, outs []*pipeline.Outputs, errs []error) (err error) {
	defer func() { err = afterPanic(recover(), err) }()
	run := func(ctx context.Context) error {
		w.in.batch(ctx, ds, outs, errs)
		return nil
	}
	if limit := w.stage.node.Timeout; limit > 0 {
		return within(ctx, limit, run)
	}
	return run(ctx)
}

// finish sends what came of items, in their order.
func (w *batchWorker) finish(items []batchItem, outs []*pipeline.Outputs, fails []failure) error {
	w.out.begin(len(items))
	for i := range items {
		item := &items[i]
		var err error
		if fails[i].last != nil {
			err = w.out.poison(item.entry, item.record, item.d, fails[i])
		} else {
			err = w.out.settle(item.entry, item.record, item.d, max(fails[i].attempts, 1), outs[i])
		}
		if err != nil {
			return err
		}
	}
	if err := w.out.kafka.Flush(); err != nil {
		return err
	}
	return w.claim.Throttle(w.claim.Context())
}

func (w *batchWorker) giveUp(items []batchItem) {
	for i := range items {
		w.claim.Abandon(items[i].entry)
	}
}
