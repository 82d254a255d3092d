package router

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// Headers of an action's record. It has no key, no value and no other headers,
// and stands in the partition of the message that it is about.
const (
	actionVersion = "poison_action_version"
	actionKind    = "poison_action"
	actionOffset  = "poison_action_offset" // of the poisoned message
	actionBy      = "poison_action_by"
	actionTime    = "poison_action_time"
	actionReason  = "poison_action_reason"
	actionID      = "poison_action_id"
)

// actionFormat is the version of these headers.
const actionFormat = "1"

const actionLength = 7

// PoisonActionKind is what an operator has done.
type PoisonActionKind string

// The kinds of actions.
const (
	PoisonReplay PoisonActionKind = "replay" // the message goes to its stage again
	PoisonDrop   PoisonActionKind = "drop"   // it is let go of
)

// PoisonAction is what an operator has done about a poisoned message. It stands
// in the poison topic, behind the message.
type PoisonAction struct {
	Kind PoisonActionKind

	// Position is where the poisoned message stands.
	Position PoisonPosition

	By string
	At time.Time

	// Reason is why the message was dropped. It may be empty.
	Reason string

	// ID is the new id of a message that was edited before it was replayed, and
	// empty for one that was not.
	ID string
}

// Texts of an action that are longer are cut, in bytes.
const maxActionText = 1 << 10

func (a *PoisonAction) headers() []kafka.Header {
	story := [actionLength]struct{ key, value string }{
		{actionVersion, actionFormat},
		{actionKind, string(a.Kind)},
		{actionOffset, strconv.FormatInt(a.Position.Offset, 10)},
		{actionBy, cutText(a.By, maxActionText)},
		{actionTime, storyText(a.At)},
		{actionReason, cutText(a.Reason, maxActionText)},
		{actionID, a.ID},
	}
	headers := make([]kafka.Header, len(story))
	for i, h := range story {
		headers[i] = kafka.Header{Key: []byte(h.key), Value: []byte(h.value)}
	}
	return headers
}

// output is the action as a record of the poison topic.
func (a *PoisonAction) output(topic string) kafka.Output {
	return kafka.Output{Topic: topic, Placed: true, Partition: a.Position.Partition, Headers: a.headers()}
}

// ErrNotAction is returned for a record that is no action of this format.
var ErrNotAction = errors.New("not an action about a poisoned message")

// ReadPoisonAction reads a record of a poison topic by which an operator has
// said what was done about a message. ErrNotAction means that it is none.
func ReadPoisonAction(r *kafka.Record) (PoisonAction, error) {
	wrong := func(format string, args ...any) (PoisonAction, error) {
		return PoisonAction{}, fmt.Errorf("record %s/%d@%d: %w: %w", r.Topic, r.Partition, r.Offset, ErrNotAction, fmt.Errorf(format, args...))
	}
	if len(r.Headers) != actionLength || r.Key != nil || r.Value != nil {
		return wrong("it has another form")
	}
	story := make(map[string]string, actionLength)
	for _, h := range r.Headers {
		story[string(h.Key)] = string(h.Value)
	}
	if v := story[actionVersion]; v != actionFormat {
		return wrong("%s is %q, and %q is what this version reads", actionVersion, v, actionFormat)
	}
	kind := PoisonActionKind(story[actionKind])
	if kind != PoisonReplay && kind != PoisonDrop {
		return wrong("%s is %q", actionKind, kind)
	}
	offset, errO := strconv.ParseInt(story[actionOffset], 10, 64)
	at, errT := storyTime(story[actionTime])
	if err := errors.Join(errO, errT); err != nil {
		return wrong("%w", err)
	}
	if offset < 0 || offset >= r.Offset {
		return wrong("%s is %d: an action stands behind its message", actionOffset, offset)
	}
	return PoisonAction{
		Kind: kind, Position: PoisonPosition{r.Partition, offset}, By: story[actionBy], At: at,
		Reason: story[actionReason], ID: story[actionID],
	}, nil
}

// PoisonPosition is where a message stands in its poison topic.
type PoisonPosition struct {
	Partition int32
	Offset    int64
}

// String is the offset, behind the partition and a colon where that is not 0:
// poison topics are made with one partition. [ParsePoisonPosition] reads it.
func (p PoisonPosition) String() string {
	if p.Partition == 0 {
		return strconv.FormatInt(p.Offset, 10)
	}
	return fmt.Sprintf("%d:%d", p.Partition, p.Offset)
}

// ParsePoisonPosition reads what PoisonPosition's String writes.
func ParsePoisonPosition(text string) (PoisonPosition, error) {
	partition, offset := "0", text
	if before, after, found := strings.Cut(text, ":"); found {
		partition, offset = before, after
	}
	p, errP := strconv.ParseUint(partition, 10, 31)
	o, errO := strconv.ParseUint(offset, 10, 63)
	if errP != nil || errO != nil {
		return PoisonPosition{}, fmt.Errorf("%q is not a position: it is an offset, or partition:offset", text)
	}
	return PoisonPosition{int32(p), int64(o)}, nil
}
