package router

import (
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// When an inline worker hands its outputs to the producer: seldom enough that
// the cost of a hand-over is shared, and often enough that a slow filter's
// outputs do not wait for the rest of its batch.
const (
	flushMessages = 128
	flushBytes    = 256 << 10
	flushAfter    = 5 * time.Millisecond
)

// inlineWorker runs the filter in the loop that reads the batch: one message
// of the partition after the other, so all keys keep their order.
type inlineWorker struct {
	stage   *stage
	claim   *kafka.Claim
	out     outbox
	outputs pipeline.Outputs
	text    textSlab
	at      activity
	began   time.Time     // the batch
	flushed time.Duration // from then on: a clock reading less than a time costs
}

func newInlineWorker(s *stage, claim *kafka.Claim) *inlineWorker {
	w := &inlineWorker{stage: s, claim: claim, out: outbox{stage: s, kafka: claim.NewOutbox()}}
	s.activities.add(&w.at, claim.Context())
	return w
}

// work implements worker.
func (w *inlineWorker) work(b *kafka.Batch, in *input) error {
	_, _, err := w.loop(b, in, nil)
	return err
}

// loop works on the records one after the other. It stops before the end when
// leave, which may be nil, says so after a message, or when a message has to
// wait and there is a leave: then it returns the index of the first record that
// is left, and what was done for that one already. When the claim ends it
// abandons what is left.
func (w *inlineWorker) loop(b *kafka.Batch, in *input, leave func(took time.Duration) bool) (rest int, begun *laneItem, err error) {
	w.began, w.flushed = time.Now(), 0
	w.out.begin(len(b.Records))
	ds := newDeliveries(len(b.Records))
	last := w.flushed
	zero := w.began.Sub(clockZero)
	defer w.rest()
	item := new(laneItem) // one for all: it leaves with the message that has to wait
	for i := range b.Records {
		if !w.claim.MayBegin() {
			b.Abandon(i)
			return len(b.Records), nil, w.out.kafka.Flush()
		}
		*item = laneItem{entry: b.Entry(i), record: &b.Records[i], ds: ds, index: i, in: in}
		w.at.begin(item.record, zero+last)
		done, err := w.one(item, leave == nil)
		switch {
		case err != nil:
			return 0, nil, err
		case !done && !item.due.IsZero():
			return i, item, w.out.kafka.Flush()
		case !done:
			b.Abandon(i)
			return len(b.Records), nil, w.out.kafka.Flush()
		}
		now := time.Since(w.began)
		w.at.end(zero + now)
		if err := w.flushIfDue(now); err != nil {
			return 0, nil, err
		}
		if leave != nil && leave(now-last) {
			return i + 1, nil, w.out.kafka.Flush()
		}
		last = now
	}
	return len(b.Records), nil, w.out.kafka.Flush()
}

// one does a message to its end: done, skipped or poisoned. It is not done when
// the claim ended first, or when it has to wait and may not do so here; then
// the item says until when.
func (w *inlineWorker) one(item *laneItem, mayWait bool) (done bool, err error) {
	d, err := item.ds.read(item.index, w.stage, w.claim, item.record, &w.text)
	if err != nil {
		return true, w.out.poison(item.entry, item.record, d, failure{first: err, last: err})
	}
	w.stage.stats.in.Add(1)
	for {
		switch o, wait := w.stage.step(&w.at, w.claim, d, item.in.attempt, &w.outputs, &item.f); o {
		case succeeded:
			return true, w.out.settle(item.entry, item.record, d, item.f.attempts, &w.outputs)
		case failed:
			return true, w.out.poison(item.entry, item.record, d, item.f)
		case again:
			d = anew(d)
			w.at.end(clock())
			if !mayWait {
				item.d, item.due = d, time.Now().Add(wait)
				return false, nil
			}
			w.at.rest()
			if !pause(w.claim, wait) {
				return false, nil
			}
			w.at.begin(item.record, clock())
		case ended:
			return false, nil
		}
	}
}

func (w *inlineWorker) flushIfDue(now time.Duration) error {
	n, bytes := w.out.kafka.Settled()
	if n < flushMessages && bytes < flushBytes && now-w.flushed < flushAfter {
		return nil
	}
	w.flushed = now
	w.rest()
	if err := w.out.kafka.Flush(); err != nil {
		return err
	}
	return w.claim.Throttle(w.claim.Context())
}

// rest says that no attempt is under way for now, and adds up how long they took.
func (w *inlineWorker) rest() {
	w.at.rest()
	w.stage.latency.take(&w.at.took)
}
