package router

import (
	"fmt"
	"math"
	"slices"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// awaited is what is to be done when the log has been read past an offset.
type awaited struct {
	offset int64
	then   func(offset int64) error
}

// write sends events to the log, and beside them other outputs, and returns. When
// all are stored, and the events have been read back, then is called by the
// parker's goroutine with the offset of the last one: no other owner's TAKE stands
// before them. May be called from any goroutine; to the log the order of one
// goroutine's calls is kept.
func (p *parker) write(then func(offset int64) error, beside []kafka.Output, events ...parking.Event) error {
	outs := make([]kafka.Output, 0, len(events)+len(beside))
	for _, e := range events {
		outs = append(outs, p.output(e))
	}
	last := len(events) - 1
	return p.claim.Send(append(outs, beside...), func(offsets []int64) {
		p.mail.put(func() error { return p.await(offsets[last], then) })
	})
}

// output is an event as a record of the log.
func (p *parker) output(e parking.Event) kafka.Output {
	key, value, headers := parking.Encode(e)
	return kafka.Output{
		Topic: p.topic, Placed: true, Partition: p.claim.Partition(),
		Key: key, Value: value, Headers: headers,
	}
}

// await calls then when the log has been read past offset: now, if it has been.
func (p *parker) await(offset int64, then func(int64) error) error {
	if offset < p.read {
		return then(offset)
	}
	// Confirmations of one partition come in the order of offsets: nearly always
	// it goes to the end.
	at := len(p.behind)
	for at > 0 && p.behind[at-1].offset > offset {
		at--
	}
	p.behind = slices.Insert(p.behind, at, awaited{offset, then})
	return nil
}

// apply takes records of the log into the index, and does what has waited for
// them.
func (p *parker) apply(records []kafka.Record) error {
	for i := range records {
		r := &records[i]
		e, err := parking.Decode(r)
		if err != nil {
			return fmt.Errorf("read the retry log %s/%d@%d: %w", p.topic, p.claim.Partition(), r.Offset, err)
		}
		if _, take := e.(*parking.Take); take && r.Offset > p.epoch && !sabotage.Broken(sabotage.Epochs) {
			return fmt.Errorf("%s/%d@%d: %w", p.topic, p.claim.Partition(), r.Offset, errTakenOver)
		}
		p.index.Apply(p.sabotaged(e), r.Offset)
		p.read = r.Offset + 1
		if err := p.reached(); err != nil {
			return err
		}
	}
	return nil
}

// reached does what has waited for the log to be read up to here.
func (p *parker) reached() error {
	n := 0
	for n < len(p.behind) && p.behind[n].offset < p.read {
		if err := p.behind[n].then(p.behind[n].offset); err != nil {
			return err
		}
		n++
	}
	p.behind = slices.Delete(p.behind, 0, n)
	return nil
}

// sabotaged is an event as it is where a rule is broken on purpose.
func (p *parker) sabotaged(e parking.Event) parking.Event {
	if resume, ok := e.(*parking.Resume); ok && sabotage.Broken(sabotage.VoidByStart) {
		resume.Start = math.MaxInt64
	}
	if !sabotage.Broken(sabotage.Epochs) {
		return e
	}
	switch e := e.(type) {
	case *parking.Resume:
		e.Epoch = p.index.Epoch()
	case *parking.Park:
		e.Epoch = p.index.Epoch()
	case *parking.Start:
		e.Epoch = p.index.Epoch()
	case *parking.Done:
		e.Epoch = p.index.Epoch()
	case *parking.Scan:
		e.Epoch = p.index.Epoch()
	}
	return e
}
