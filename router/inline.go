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
	parker  *parker
	out     outbox
	outputs pipeline.Outputs
	text    textSlab
	at      activity
	began   time.Time     // the batch
	flushed time.Duration // from then on: a clock reading less than a time costs
}

func newInlineWorker(s *stage, claim *kafka.Claim, p *parker) *inlineWorker {
	w := &inlineWorker{stage: s, claim: claim, parker: p, out: outbox{stage: s, kafka: claim.NewOutbox(), parker: p}}
	s.activities.add(&w.at, claim.Context())
	return w
}

// loop works on the records one after the other. It stops before the end when
// leave says so after a message, or when a message has to wait: then it returns
// the index of the first record that is left, and what was done for that one
// already. When the claim ends it abandons what is left.
func (w *inlineWorker) loop(b *kafka.Batch, in *input, leave func(took time.Duration) bool) (rest int, begun *laneItem, err error) {
	w.began, w.flushed = time.Now(), 0
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
		done, err := w.one(item)
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
		if leave(now - last) {
			return i + 1, nil, w.out.kafka.Flush()
		}
		last = now
	}
	return len(b.Records), nil, w.out.kafka.Flush()
}

// one does a message to its end: done, skipped or poisoned. It is not done when
// the claim ended first, or when it has to wait, to be parked or to hold its key;
// then the item says until when.
func (w *inlineWorker) one(item *laneItem) (done bool, err error) {
	d, err := item.ds.read(item.index, w.stage, w.claim, item.record, &w.text)
	item.d = d
	if err != nil {
		item.f.note(err)
		return w.poison(item)
	}
	w.stage.stats.in.Add(1)
	switch o, wait := w.stage.step(w.claim.Context(), &w.at, w.claim, d, item.in.attempt, &w.outputs, &item.f); o {
	case succeeded:
		err := w.out.settle(item.entry, d, &w.outputs)
		if item.f.refused(err) {
			return w.poison(item)
		}
		return true, err
	case failed:
		return w.poison(item)
	case aside:
		item.due = time.Now()
		item.fate, item.notBefore = toPark, item.due.Add(wait)
	case again:
		w.at.end(clock())
		item.d, item.due, item.refused = anew(d), time.Now().Add(wait), wait == untilStopped
	case ended, displaced:
	}
	return false, nil
}

// poison takes a message out of the flow. One that is to hold its key is left to
// its lane.
func (w *inlineWorker) poison(item *laneItem) (done bool, err error) {
	if w.parker.holdsPoisoned(item.record.Key) {
		item.fate, item.due = toPoison, time.Now()
		return false, nil
	}
	return true, w.out.poison(item.entry, item.record, item.d, item.f)
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
