package router

import (
	"sync"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// batchWorker runs a filter that takes several messages at once. It gathers
// them over the batches of the transport, in a goroutine that lives as long as
// the claim: what is handed to it is bounded by what a claim may have in
// flight. Parked messages are tried in the same goroutine, each as a batch of
// one, so that none runs beside another of its key.
type batchWorker struct {
	stage  *stage
	claim  *kafka.Claim
	parker *parker
	max    int
	wait   time.Duration
	in     *input
	queue  chan batchItem
	out    outbox
	at     activity
	text   textSlab // of the goroutine that hands over
	parked pipeline.Outputs
	read   textSlab // of parked messages

	wake chan struct{} // capacity 1: there is something in runs
	mu   sync.Mutex
	runs []*parkedRun
	over bool // none is taken any more
}

type batchItem struct {
	entry  kafka.Entry
	record *kafka.Record
	d      *pipeline.Delivery

	outs      *pipeline.Outputs
	f         failure
	fate      fate
	notBefore time.Time // where it is to be parked: not to be tried before
}

func newBatchWorker(s *stage, claim *kafka.Claim, p *parker) *batchWorker {
	w := &batchWorker{
		stage: s, claim: claim, parker: p, max: s.node.Batch.Max, wait: s.node.Batch.Wait,
		in: s.byTopic[claim.Topic()], queue: make(chan batchItem),
		out:  outbox{stage: s, kafka: claim.NewOutbox(), parker: p},
		wake: make(chan struct{}, 1),
	}
	s.activities.add(&w.at, claim.Context())
	go w.run()
	return w
}

// work implements worker: it hands the records over.
func (w *batchWorker) work(b *kafka.Batch, _ *input) error {
	ds := newDeliveries(len(b.Records))
	for i := range b.Records {
		item := batchItem{entry: b.Entry(i), record: &b.Records[i], outs: &pipeline.Outputs{}}
		var err error
		if item.d, err = ds.read(i, w.stage, w.claim, item.record, &w.text); err != nil {
			item.f.note(err)
			item.fate = toPoison
		}
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
	defer w.refuseRuns()
	for {
		items, err := w.gather()
		if err == nil && len(items) == 0 {
			return
		}
		if err == nil {
			err = w.do(items)
		}
		if err != nil {
			w.claim.Fail(err)
			return
		}
	}
}

// gather waits for a first item and then for more, up to the batch's size and
// time. Nothing comes any more when it returns none.
func (w *batchWorker) gather() (items []batchItem, err error) {
	late := time.NewTimer(0)
	defer late.Stop()
	<-late.C // it begins with the first item
	for len(items) < w.max {
		before := len(items)
		select {
		case item := <-w.queue:
			if w.parker.isParked(item.record.Key) {
				items, err = w.queueUp(items, item)
			} else {
				items = append(items, item)
			}
		case <-w.wake:
			err = w.runParked()
		case <-late.C:
			if before > 0 { // else all that was gathered has been parked meanwhile
				return items, nil
			}
		case <-w.claim.Draining():
			return items, nil
		}
		if err != nil {
			return nil, err
		}
		if before == 0 && len(items) > 0 {
			late.Reset(w.wait)
		}
	}
	return items, nil
}
