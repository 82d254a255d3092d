package router

import (
	"errors"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// parkedRun is a stretch of the queue of one key on its way through the filter.
// The parker makes it, a runner tries its messages one after the other and sends
// what comes of them, and the parker writes down how far it came.
type parkedRun struct {
	parker *parker
	taken  *parking.Run
	items  []parkedItem

	// The runner's until it calls end, and the parker's then.
	through int            // so many items are at their end
	next    *parking.Park  // what the item behind them is to be from now on; nil: what it is
	sent    int            // sends to be confirmed
	kept    []kafka.Output // to be sent with the events: the stage is exactly once
	bytes   int            // of those

	// The parker's.
	stored  int
	ended   bool
	release func() // lets the claim's drain go on
}

// parkedItem is a parked message, and as it was when it was read from the input.
type parkedItem struct {
	parking.Item

	record  kafka.Record
	d       *pipeline.Delivery
	f       failure
	outcome parking.Outcome
}

func newParkedRun(p *parker, taken *parking.Run) *parkedRun {
	run := &parkedRun{parker: p, taken: taken, items: make([]parkedItem, len(taken.Items))}
	for i := range taken.Items {
		run.items[i].Item = taken.Items[i]
	}
	return run
}

// loaded tells whether all messages are in memory.
func (run *parkedRun) loaded() bool {
	for i := range run.items {
		if run.items[i].Payload == nil {
			return false
		}
	}
	return true
}

// key is that of all its messages, nil for none. The run is loaded: the records are
// made of the payloads only when their turn comes.
func (run *parkedRun) key() []byte { return run.items[0].Payload.Message.Key }

func (run *parkedRun) entries(from, to int) []parking.Entry {
	entries := make([]parking.Entry, 0, to-from)
	for _, item := range run.items[from:to] {
		entries = append(entries, item.Entry)
	}
	return entries
}

// events are what the log is to say of the run: a DONE for each stretch of
// messages that ended alike, and the PARK of the one behind them.
func (run *parkedRun) events() []parking.Event {
	var events []parking.Event
	for from := 0; from < run.through; {
		to := from + 1
		for to < run.through && run.items[to].outcome == run.items[from].outcome {
			to++
		}
		events = append(events, &parking.Done{Epoch: run.parker.epoch, Outcome: run.items[from].outcome, Entries: run.entries(from, to)})
		from = to
	}
	if run.next != nil {
		events = append(events, run.next)
	}
	return events
}

// read makes of what is parked what was read from the input: the same record, and
// so the same id, and the attempts go on where they were.
func (item *parkedItem) read(p *parker, text *textSlab) error {
	e := item.Payload
	item.record = kafka.Record{
		Topic: p.claim.Topic(), Partition: p.claim.Partition(), Offset: item.Of.Offset, Time: e.SourceTime,
		Key: e.Message.Key, Value: e.Message.Value, Headers: e.Message.Headers,
	}
	if e.Replay != nil {
		item.record.Topic, item.record.Partition = e.Replay.SourceTopic, e.Replay.SourcePartition
	}
	item.f = failureOf(item.Attempts, e)
	item.f.parked = &item.Entry
	var err error
	item.d, err = newDeliveries(1).readOf(item.Of.Topic, 0, p.stage, &item.record, text)
	return err
}

// result is what came of an attempt at a parked message.
type result struct {
	outcome outcome
	wait    time.Duration
	outs    []kafka.Output // where it succeeded
}

// each tries the items in order: try makes an attempt, out lays outputs out. It
// stops at the first one that is not at its end, when the outputs that it keeps are
// large, and when the claim drains: what was not begun then is as it was.
func (run *parkedRun) each(out *outbox, text *textSlab, try func(*parkedItem) result) error {
	defer run.end()
	p := run.parker
	for run.through < len(run.items) && run.bytes < runBytes && p.claim.MayBegin() {
		item := &run.items[run.through]
		if err := item.read(p, text); err != nil {
			item.f.note(err)
			if stop, err := run.poison(out, item); stop || err != nil {
				return err
			}
			continue
		}
		before := item.f.attempts
		if before == 0 {
			p.stage.stats.in.Add(1)
		}
		r := try(item)
		switch {
		case r.outcome == succeeded:
			stop, err := run.succeed(out, item, r.outs)
			if stop || err != nil {
				return err
			}
		case r.outcome == failed:
			if stop, err := run.poison(out, item); stop || err != nil {
				return err
			}
		case r.outcome == displaced: // others of its lane are to have a turn
			run.again(item, displacedFor)
			return nil
		case r.outcome == ended, item.f.attempts == before && p.drains():
			return nil // no attempt was made
		default:
			run.again(item, r.wait)
			return nil
		}
	}
	return nil
}

// succeed sends the outputs. Where a topic refuses one the message is poison.
func (run *parkedRun) succeed(out *outbox, item *parkedItem, outs []kafka.Output) (stop bool, err error) {
	err = run.send(out, outs)
	if item.f.refused(err) {
		return run.poison(out, item)
	}
	if err != nil {
		return true, err
	}
	item.outcome = parking.Succeeded
	run.through++
	run.parker.stage.stats.out.Add(int64(len(outs)))
	return false, nil
}

// poison takes the item out of the flow. Where it is to hold its key it stays
// parked, and so do those behind it. The poison is confirmed before the PARK is
// sent: else a crash could leave a key that is held by what nobody can see.
func (run *parkedRun) poison(out *outbox, item *parkedItem) (stop bool, err error) {
	if err := run.send(out, []kafka.Output{out.story(&item.record, item.f, item.Payload.Replay)}); err != nil {
		return true, out.cannotPoison(&item.record, err)
	}
	out.poisoned(&item.record, item.d, item.f)
	if !run.parker.holdsPoisoned(item.record.Key) {
		item.outcome = parking.Poisoned
		run.through++
		return false, nil
	}
	run.again(item, 0)
	run.next.Held = true
	return true, nil
}

// again has the item wait for its next attempt.
func (run *parkedRun) again(item *parkedItem, wait time.Duration) {
	next := item.Again(run.parker.epoch, item.Payload)
	next.Attempts, next.Starts, next.NotBefore = item.f.attempts, 0, time.Now().Add(wait)
	next.Since = item.f.since
	next.FirstError, next.LastError = item.f.texts()
	run.next = next
}

// send hands outputs to the producer. It is counted when all are stored.
func (run *parkedRun) send(out *outbox, outs []kafka.Output) error {
	p := run.parker
	switch {
	case len(outs) == 0:
		return nil
	case p.stage.node.ExactlyOnce:
		return run.keep(out, outs)
	}
	err := p.claim.Send(outs, func([]int64) {
		p.mail.put(func() error {
			run.stored++
			return p.finish(run)
		})
	})
	if err == nil {
		run.sent++
	}
	return err
}

// end gives the run back to the parker.
func (run *parkedRun) end() {
	p := run.parker
	p.mail.put(func() error {
		run.ended = true
		return p.finish(run)
	})
}

// drains tells whether the claim ends.
func (p *parker) drains() bool {
	select {
	case <-p.claim.Draining():
		return true
	default:
		return false
	}
}

// failureOf is what has gone wrong with a parked message so far.
func failureOf(attempts int, e *parking.Park) failure {
	f := failure{attempts: attempts, since: e.Since}
	if e.FirstError != "" {
		f.first = errors.New(e.FirstError)
	}
	if e.LastError != "" {
		f.last = errors.New(e.LastError)
	}
	return f
}

// texts are the errors, cut to what a record of a log may have of them.
func (f *failure) texts() (first, last string) {
	if f.first != nil {
		first = cut(f.first.Error())
	}
	if f.last != nil {
		last = cut(f.last.Error())
	}
	return first, last
}
