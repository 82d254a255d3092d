package router

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/penstock/penstock/router/kafka"
)

// PoisonEvent is a station in the life of a poisoned message: either it was
// poisoned, or somebody has done something about it.
type PoisonEvent struct {
	Position PoisonPosition // of the record that says so
	Poisoned *Poisoned      // without key, value and headers
	Action   *PoisonAction
}

// maxHistory bounds how many events are kept of one message.
const maxHistory = 1000

// ErrNotPoisoned means that no message stands at a position.
var ErrNotPoisoned = errors.New("there is no poisoned message there")

var errEnough = errors.New("enough")

// Message is the message at a position, whatever its state is, with its history:
// how often the same message of the input was poisoned, and each action about
// it, in their order. Of a long history it has the newest 1000 events.
func (l *PoisonLog) Message(ctx context.Context, at PoisonPosition) (*PoisonMessage, []PoisonEvent, error) {
	parked, err := l.parked(ctx)
	if err != nil {
		return nil, nil, err
	}
	var found *PoisonMessage
	_, err = l.each(ctx, parked, func(m *PoisonMessage) error {
		if m.Position != at {
			return nil
		}
		found = m
		return errEnough
	})
	switch {
	case found == nil && err != nil:
		return nil, nil, err
	case found == nil:
		return nil, nil, fmt.Errorf("%s at position %s: %w", l.topic.Name, at, ErrNotPoisoned)
	}
	history, err := l.history(ctx, &found.Poisoned)
	return found, history, err
}

func (l *PoisonLog) history(ctx context.Context, of *Poisoned) (events []PoisonEvent, err error) {
	same := map[PoisonPosition]bool{}
	add := func(e PoisonEvent) {
		if len(events) == maxHistory {
			events = slices.Delete(events, 0, 1)
		}
		events = append(events, e)
	}
	err = kafka.ReadTopic(ctx, l.cfg.Kafka, l.topic.Name, func(r *kafka.Record) error {
		here := PoisonPosition{r.Partition, r.Offset}
		if p, err := ReadPoisoned(r); err == nil {
			sameTopic := p.TopicID == of.TopicID || p.TopicID == [16]byte{}
			if p.Topic == of.Topic && sameTopic && p.Partition == of.Partition && p.Offset == of.Offset {
				same[here] = true
				p.Key, p.Value, p.Headers = nil, nil, nil
				add(PoisonEvent{Position: here, Poisoned: &p})
			}
		} else if a, err := ReadPoisonAction(r); err == nil && same[a.Position] {
			add(PoisonEvent{Position: here, Action: &a})
		}
		return nil
	})
	return events, err
}
