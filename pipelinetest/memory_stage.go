package pipelinetest

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// memoryStage is one stage of a memoryEngine.
type memoryStage struct {
	engine  *memoryEngine
	node    *pipeline.StageNode
	inputs  []*memoryInput
	failed  []Failure
	skipped int64
}

// memoryInput is one pipe that a stage reads. A key whose message waits holds up
// what comes behind of that key, as in a program: there the messages wait too.
type memoryInput struct {
	topic   string
	id      [16]byte // stands for the topic's
	call    attempt.Func
	batch   attempt.BatchFunc
	next    int64 // offset
	waiting []*waitingKey
	keys    map[string]*waitingKey
}

// waitingKey is the messages of a key whose first one waits, or one message
// without a key.
type waitingKey struct {
	items []*item
	due   time.Time
	held  bool // until an operator decides, who never comes here
}

// item is a message on its way through a stage.
type item struct {
	d           *pipeline.Delivery
	broken      error // it cannot be read
	outs        pipeline.Outputs
	attempts    int
	first, last error
}

func newMemoryStage(e *memoryEngine, n *pipeline.StageNode) *memoryStage {
	s := &memoryStage{engine: e, node: n}
	for i, pipe := range n.Inputs {
		in := &memoryInput{topic: pipe.Topic, id: [16]byte{byte(i + 1)}, keys: map[string]*waitingKey{}}
		if n.Batch != nil {
			in.batch = attempt.NewBatch(n, n.Batch.Calls[i])
		} else {
			in.call = attempt.New(n, n.Calls[i])
		}
		s.inputs = append(s.inputs, in)
	}
	return s
}

// step does one thing of the stage that can be done now. False: there is none.
func (s *memoryStage) step(ctx context.Context) bool {
	for _, in := range s.inputs {
		if w := in.due(s.engine.now); w != nil {
			s.again(ctx, in, w)
			return true
		}
		if batch := s.take(in); len(batch) > 0 {
			s.try(ctx, in, batch)
			for _, it := range batch {
				s.judge(in, it, nil)
			}
			return true
		}
	}
	return false
}

// take reads what is called with next: one message, or for a filter that takes
// batches as many as it takes. What is behind a key that waits goes there.
func (s *memoryStage) take(in *memoryInput) []*item {
	limit := 1
	if s.node.Batch != nil {
		limit = s.node.Batch.Max
	}
	var batch []*item
	for records := s.engine.topics[in.topic]; len(batch) < limit && in.next < int64(len(records)); in.next++ {
		it := in.read(s.node, &records[in.next])
		if w := in.keys[it.d.Key]; w != nil && it.d.HasKey {
			w.items = append(w.items, it)
			continue
		}
		batch = append(batch, it)
	}
	return batch
}

// read makes an item of a record.
func (in *memoryInput) read(n *pipeline.StageNode, r *kafka.Record) *item {
	d := &pipeline.Delivery{Stage: n.Name, Attempt: 1, Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
	it := &item{d: d}
	value, err := schemas.ReadEnvelope(&d.Envelope, r.Key, r.Value, r.Headers, text)
	d.Value = value
	d.Identify(in.id, r.Partition, r.Offset)
	if err != nil {
		it.broken = pipeline.Reject(fmt.Errorf("read the envelope: %w", err))
	}
	return it
}

// try calls the filter once with each of the items, or with all of them. What went
// wrong is in last, nil where nothing did.
func (s *memoryStage) try(ctx context.Context, in *memoryInput, items []*item) {
	var open []*item
	for _, it := range items {
		next := *it.d // the filter may have kept the last
		next.Attempt = it.attempts + 1
		it.d, it.last = &next, it.broken
		it.outs.Reset()
		if it.broken == nil {
			open = append(open, it)
		}
	}
	if in.batch == nil {
		for _, it := range open {
			it.last = in.call(ctx, it.d, &it.outs)
		}
		return
	}
	if len(open) == 0 {
		return
	}
	ds, outs, errs := make([]*pipeline.Delivery, len(open)), make([]*pipeline.Outputs, len(open)), make([]error, len(open))
	for i, it := range open {
		ds[i], outs[i] = it.d, &it.outs
	}
	in.batch(ctx, ds, outs, errs)
	for i, it := range open {
		it.last = errs[i]
	}
}

// judge says what becomes of an item after an attempt. w is where it waited, nil
// for one that is tried for the first time. It reports whether the item is through.
//
// An attempt counts here also where a codec could not ask its schema registry: a
// router would wait for that without end, and a test is to have one.
func (s *memoryStage) judge(in *memoryInput, it *item, w *waitingKey) (through bool) {
	it.attempts++
	if it.first == nil {
		it.first = it.last
	}
	verdict, said := pipeline.Judge(it.last)
	fate, wait := attempt.After(s.node, it.attempts, verdict, said, func(d time.Duration) time.Duration { return d })
	switch fate {
	case attempt.Done:
		if verdict == pipeline.Skipped {
			s.skipped++
		} else {
			s.emit(it)
		}
		return true
	case attempt.Retry, attempt.Park:
		in.wait(it, w).due = s.engine.now.Add(wait)
		return false
	case attempt.Poison:
	}
	s.poison(it)
	if s.node.OnPoison == pipeline.HoldKey && it.d.HasKey {
		in.wait(it, w).held = true
		return false
	}
	return true
}

// emit stores what was made of an item.
func (s *memoryStage) emit(it *item) {
	for i := range it.outs.List {
		o := &it.outs.List[i]
		env := s.node.Envelope(it.d, i, o)
		headers, _ := schemas.AppendHeaders[kafka.Header](nil, nil, &env)
		out := kafka.Output{Topic: o.Topic(), Value: o.Value, Headers: headers}
		if o.HasKey {
			out.Key = append([]byte{}, o.Key...)
		}
		s.engine.store(&out)
	}
}

func (s *memoryStage) poison(it *item) {
	s.failed = append(s.failed, Failure{
		Message: Message{Envelope: it.d.Envelope, Value: it.d.Value, Topic: it.d.Topic, Partition: it.d.Partition, Offset: it.d.Offset},
		Stage:   s.node.Name, Attempts: it.attempts, First: it.first.Error(), Last: it.last.Error(),
	})
}

// wait has an item be the first of what waits for its key.
func (in *memoryInput) wait(it *item, w *waitingKey) *waitingKey {
	if w != nil {
		return w
	}
	if w = in.keys[it.d.Key]; w != nil && it.d.HasKey { // of the same batch
		w.items = append(w.items, it)
		return &waitingKey{}
	}
	w = &waitingKey{items: []*item{it}}
	in.waiting = append(in.waiting, w)
	if it.d.HasKey {
		in.keys[it.d.Key] = w
	}
	return w
}

// due is what has waited long enough, the one that is due longest first.
func (in *memoryInput) due(now time.Time) *waitingKey {
	var first *waitingKey
	for _, w := range in.waiting {
		if !w.held && !w.due.After(now) && (first == nil || w.due.Before(first.due)) {
			first = w
		}
	}
	return first
}

// again tries what waited, and then what has come behind it.
func (s *memoryStage) again(ctx context.Context, in *memoryInput, w *waitingKey) {
	it := w.items[0]
	s.try(ctx, in, w.items[:1])
	if !s.judge(in, it, w) {
		return
	}
	if w.items = w.items[1:]; len(w.items) > 0 {
		w.due = s.engine.now
		return
	}
	in.forget(it, w)
}

// forget lets a key go on.
func (in *memoryInput) forget(it *item, w *waitingKey) {
	if it.d.HasKey {
		delete(in.keys, it.d.Key)
	}
	for i := range in.waiting {
		if in.waiting[i] == w {
			in.waiting = append(in.waiting[:i], in.waiting[i+1:]...)
			return
		}
	}
}

// nextDue is when the first of what waits is due.
func (s *memoryStage) nextDue() (due time.Time, ok bool) {
	for _, in := range s.inputs {
		for _, w := range in.waiting {
			if !w.held && (!ok || w.due.Before(due)) {
				due, ok = w.due, true
			}
		}
	}
	return due, ok
}
