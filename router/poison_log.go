package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// PoisonConfig is the configuration of a PoisonLog.
type PoisonConfig struct {
	// Kafka is the cluster. Required.
	Kafka kafka.Config

	// Stage is whose messages were poisoned, "<pipeline>.<stage>". Required.
	Stage string

	// By is who acts, for the record. Replay and Drop require it.
	By string

	// Logger takes what happens to the producer. Defaults to slog.Default.
	Logger *slog.Logger
}

// PoisonLog is the poison topic of a stage: the messages that were taken out of
// the flow, and what operators have done about them. It replays and drops them;
// the stage itself need not run meanwhile.
//
// It is safe for concurrent use, and for several operators at a time.
type PoisonLog struct {
	cfg   PoisonConfig
	topic kafka.Topic
	admin *kafka.Admin

	// send stores records with the acknowledgement of all replicas in sync.
	send func(ctx context.Context, outs ...kafka.Output) error
	pub  *kafka.Publisher
}

// PoisonState is what has become of a poisoned message.
type PoisonState string

// The states of a poisoned message. The first two are open: somebody should look
// after it.
const (
	PoisonOpen     PoisonState = "open"     // nobody has done anything
	PoisonHeld     PoisonState = "held"     // so, and its key waits for it
	PoisonReplayed PoisonState = "replayed" // its stage was given it again; if it fails again that is a message of its own
	PoisonDropped  PoisonState = "dropped"  // it was let go of
)

// IsOpen tells whether somebody should look after the message.
func (s PoisonState) IsOpen() bool { return s == PoisonOpen || s == PoisonHeld }

// PoisonMessage is a message of a PoisonLog.
type PoisonMessage struct {
	Poisoned

	Position PoisonPosition
	State    PoisonState

	// Pending tells that it was replayed and the stage is not through with it.
	Pending bool

	// Group is the id of the messages whose last errors have one signature.
	Group string

	recorded bool // that it was replayed
}

// PoisonSelection says which messages are meant. The zero value means all that
// are open.
type PoisonSelection struct {
	// Position names one. Defaults to nil: no matter which.
	Position *PoisonPosition

	// Group is the id of a group. Defaults to "": no matter which.
	Group string

	// All means those too that were replayed or dropped before. Defaults to
	// false.
	All bool
}

func (s *PoisonSelection) matches(m *PoisonMessage) bool {
	return (s.All || m.State.IsOpen()) && s.names(m)
}

// names is matches without a look at the state.
func (s *PoisonSelection) names(m *PoisonMessage) bool {
	return (s.Position == nil || *s.Position == m.Position) && (s.Group == "" || s.Group == m.Group)
}

// ErrNoPoisonTopic means that the stage has no poison topic: nothing was poisoned
// there so far, or the topics were not made.
var ErrNoPoisonTopic = errors.New("there is no such poison topic")

// OpenPoison opens the poison topic of a stage.
func OpenPoison(ctx context.Context, cfg PoisonConfig) (_ *PoisonLog, err error) {
	if cfg.Stage == "" {
		return nil, errors.New("PoisonConfig.Stage is empty: name a stage as <pipeline>.<stage>")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	admin, err := kafka.NewAdmin(ctx, cfg.Kafka)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, admin.Close())
		}
	}()
	name := cfg.Stage + ".poison"
	topics, err := admin.Topics(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("look for the poison topic of stage %s: %w", cfg.Stage, err)
	}
	topic, exists := topics[name]
	if !exists {
		return nil, fmt.Errorf("%w: %s", ErrNoPoisonTopic, name)
	}
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{
		Config: cfg.Kafka, Producer: kafka.ProducerConfig{DeliveryTimeout: poisonDelivery}, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &PoisonLog{cfg: cfg, topic: topic, admin: admin, pub: pub, send: pub.Send}, nil
}

// Close ends the connections.
func (l *PoisonLog) Close() error { return errors.Join(l.pub.Close(), l.admin.Close()) }

// Messages calls f with the messages of a selection in the order in which they
// were poisoned, and tells how many records of the topic were none that this
// version reads. f must not keep what the message points to beyond the call.
//
// The topic is read twice: first for the actions, of which the states are kept,
// some ten bytes a message, and then for the messages, of which nothing is.
func (l *PoisonLog) Messages(ctx context.Context, of PoisonSelection, f func(*PoisonMessage) error) (others int, err error) {
	parked, err := l.parked(ctx)
	if err != nil {
		return 0, err
	}
	return l.each(ctx, parked, func(m *PoisonMessage) error {
		if !of.matches(m) {
			return nil
		}
		return f(m)
	})
}

// each calls f with every message.
func (l *PoisonLog) each(ctx context.Context, parked parkedPoison, f func(*PoisonMessage) error) (others int, err error) {
	states, err := l.states(ctx)
	if err != nil {
		return 0, err
	}
	inputs := inputIDs{log: l}
	err = kafka.ReadTopic(ctx, l.cfg.Kafka, l.topic.Name, func(r *kafka.Record) error {
		p, err := ReadPoisoned(r)
		if err != nil {
			if _, err := ReadPoisonAction(r); err != nil {
				others++
			}
			return nil
		}
		m := PoisonMessage{Poisoned: p, Position: PoisonPosition{r.Partition, r.Offset}}
		if m.TopicID == ([16]byte{}) {
			if m.TopicID, err = inputs.of(ctx, p.Topic); err != nil {
				return err
			}
		}
		m.Group = PoisonGroupID(l.cfg.Stage, ErrorSignature(p.LastError))
		m.Pending = parked.replays[l.entry(m.Position)]
		m.recorded = states[m.Position] == PoisonReplay
		m.State = stateOf(states[m.Position], m.Pending, parked.held[m.of()])
		return f(&m)
	})
	return others, err
}

// stateOf is the state of a message about which an operator has done last what
// the topic says, or nothing.
//
// What is pending was replayed, also where nobody came to write down so. What is
// held goes before a drop: the drop has not reached the stage's log, or came
// there before what holds. But a replay has always ended what was held before,
// and if it is held again there is a newer message that says so.
func stateOf(last PoisonActionKind, pending, held bool) PoisonState {
	switch {
	case pending || last == PoisonReplay:
		return PoisonReplayed
	case held:
		return PoisonHeld
	case last == PoisonDrop:
		return PoisonDropped
	}
	return PoisonOpen
}

// states tells what was done last about the messages that something was done
// about.
func (l *PoisonLog) states(ctx context.Context) (map[PoisonPosition]PoisonActionKind, error) {
	states := map[PoisonPosition]PoisonActionKind{}
	err := kafka.ReadTopic(ctx, l.cfg.Kafka, l.topic.Name, func(r *kafka.Record) error {
		a, err := ReadPoisonAction(r)
		switch {
		case errors.Is(err, ErrNotAction):
			return nil // a message, most likely
		case a.Kind == PoisonReplay:
			states[a.Position] = PoisonReplay // the constant: a's points to the record
		default:
			states[a.Position] = PoisonDrop
		}
		return err
	})
	return states, err
}

// entry names a replay of the message at a position in the retry log. Where the
// poison topic was given more partitions than the one that it is made with, the
// same offset may be in several: so the partition is mixed into the topic's id.
func (l *PoisonLog) entry(at PoisonPosition) parking.Entry {
	id := l.topic.ID
	if at.Partition != 0 {
		id[0] ^= byte(at.Partition >> 8)
		id[1] ^= byte(at.Partition)
	}
	return parking.Entry{Topic: id, Offset: at.Offset}
}

// of is the message's own entry.
func (m *PoisonMessage) of() parking.Entry {
	return parking.Entry{Topic: m.TopicID, Offset: m.Offset}
}

// retryLogOf is the retry log of an input of a stage.
func retryLogOf(stage, input string) string {
	return stage + ".retry." + input[strings.LastIndexByte(input, '.')+1:]
}

// inputIDs are the ids of inputs, for messages that an older version has poisoned.
type inputIDs struct {
	log   *PoisonLog
	known map[string][16]byte
}

// of is the id of a topic as it is now. It is zero where there is none.
func (ids *inputIDs) of(ctx context.Context, topic string) ([16]byte, error) {
	if id, known := ids.known[topic]; known {
		return id, nil
	}
	found, err := ids.log.admin.Topics(ctx, topic)
	if err != nil {
		return [16]byte{}, fmt.Errorf("look for the id of topic %s: %w", topic, err)
	}
	if ids.known == nil {
		ids.known = map[string][16]byte{}
	}
	ids.known[strings.Clone(topic)] = found[topic].ID
	return found[topic].ID, nil
}
