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
	flushed time.Time
}

func newInlineWorker(s *stage, claim *kafka.Claim) *inlineWorker {
	return &inlineWorker{stage: s, claim: claim, out: outbox{stage: s, kafka: claim.NewOutbox()}}
}

// work implements worker.
func (w *inlineWorker) work(b *kafka.Batch, in *input) error {
	w.flushed = time.Now()
	w.out.begin(len(b.Records))
	ds := newDeliveries(len(b.Records))
	for i := range b.Records {
		select {
		case <-w.claim.Draining():
			b.Abandon(i)
			return w.out.kafka.Flush()
		default:
		}
		settled, err := w.one(b, i, ds, in)
		if err != nil {
			return err
		}
		if !settled {
			b.Abandon(i)
			return w.out.kafka.Flush()
		}
		if err := w.flushIfDue(); err != nil {
			return err
		}
	}
	return w.out.kafka.Flush()
}

// one does a message to its end: done, skipped or poisoned. It is not settled
// when the claim ended first.
func (w *inlineWorker) one(b *kafka.Batch, i int, ds *deliveries, in *input) (settled bool, err error) {
	r := &b.Records[i]
	d, err := ds.read(i, w.stage, w.claim, r, &w.text)
	if err != nil {
		return true, w.out.poison(b.Entry(i), r, d, failure{first: err, last: err})
	}
	w.stage.stats.in.Add(1)
	var f failure
	for {
		switch o, wait := w.stage.step(w.claim, d, in.attempt, &w.outputs, &f); o {
		case succeeded:
			return true, w.out.settle(b.Entry(i), r, d, f.attempts, &w.outputs)
		case failed:
			return true, w.out.poison(b.Entry(i), r, d, f)
		case again:
			if !pause(w.claim, wait) {
				return false, nil
			}
			d = anew(d)
		case ended:
			return false, nil
		}
	}
}

func (w *inlineWorker) flushIfDue() error {
	n, bytes := w.out.kafka.Settled()
	now := time.Now()
	if n < flushMessages && bytes < flushBytes && now.Sub(w.flushed) < flushAfter {
		return nil
	}
	w.flushed = now
	if err := w.out.kafka.Flush(); err != nil {
		return err
	}
	return w.claim.Throttle(w.claim.Context())
}
