package router

import (
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// busy tells whether anything is parked, or about to be: one atomic load.
func (p *parker) busy() bool { return p != nil && !p.index.Empty() }

// isParked tells whether a message of the key has to go behind what is parked.
// One without a key never has to.
func (p *parker) isParked(key []byte) bool { return p != nil && p.index.IsParked(key) }

// hasRoom tells whether one more can be parked. Where the stage is exactly once what
// is on its way does not count: it may be on its way until a message before it is
// parked, and that would wait for room then. It is bounded by what may be in flight.
func (p *parker) hasRoom() bool {
	limit := p.stage.router.cfg.MaxParked
	if p.stage.node.ExactlyOnce {
		return p.index.Stats().Live < limit
	}
	return p.index.Room(limit) > 0
}

// park parks a message: one that has failed, or whose key is parked. It does
// nothing where there is no room. Else the ledger entry is the parker's to close, or
// where the stage is exactly once it is settled in out.
func (p *parker) park(out *kafka.Outbox, entry kafka.Entry, r *kafka.Record, f *failure, notBefore time.Time) (room bool, err error) {
	if !p.hasRoom() {
		return false, nil
	}
	p.index.Expect(r.Key)
	e := p.event(r, f)
	e.NotBefore = notBefore
	return true, p.send(out, entry, r, e)
}

// hold has a poisoned message hold its key, and stores what the poison topic is
// to have of it. The caller has asked for room.
//
// Both are sent together and the ledger entry closes when both are stored. Were
// PARK sent when the poison is stored, a later message of the key could come to
// stand before it. After a crash with one of them stored the message is read
// again, and the PARK is void.
func (p *parker) hold(out *kafka.Outbox, entry kafka.Entry, r *kafka.Record, f *failure, story kafka.Output) error {
	p.index.Expect(r.Key)
	e := p.event(r, f)
	e.Held = true
	return p.send(out, entry, r, e, story)
}

func (p *parker) send(out *kafka.Outbox, entry kafka.Entry, r *kafka.Record, e *parking.Park, beside ...kafka.Output) error {
	var err error
	if p.stage.node.ExactlyOnce {
		err = p.settle(out, entry, e, beside)
	} else {
		err = p.write(func(int64) error {
			p.claim.Done(entry)
			return nil
		}, beside, e)
	}
	if err == nil {
		p.stage.stats.parked.Add(1)
	}
	return p.cannotPark(r, err)
}

// cannotPark is the error of an event that could not be written, nil where there
// is none.
func (p *parker) cannotPark(r *kafka.Record, err error) error {
	if err == nil {
		return nil
	}
	large, tooLarge := errors.AsType[*kafka.TooLargeError](err)
	if !tooLarge || large.Topic != p.topic {
		return err
	}
	return fmt.Errorf("%s/%d@%d cannot be parked: %w; raise max.message.bytes of %s to %d at least", r.Topic, r.Partition, r.Offset, err, large.Topic, large.Size)
}

// event is the PARK of a message that was read from the input.
func (p *parker) event(r *kafka.Record, f *failure) *parking.Park {
	e := &parking.Park{
		Epoch: p.epoch, Entry: parking.Entry{Topic: p.claim.TopicID(), Offset: r.Offset}, Rank: -1, Prev: -1,
		Attempts: f.attempts, Since: f.since, SourceTime: r.Time,
		Message: parking.Message{Key: r.Key, Value: r.Value, Headers: r.Headers},
	}
	e.FirstError, e.LastError = f.texts()
	return e
}

// holdsPoisoned tells whether a poisoned message of this key is to hold it.
func (p *parker) holdsPoisoned(key []byte) bool {
	return p != nil && key != nil && p.stage.node.OnPoison == pipeline.HoldKey
}
