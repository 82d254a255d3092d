package router

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/penstock/penstock/router/kafka"
)

// Headers of a record in a poison topic. They stand behind the original's own
// headers; where a name occurs more than once the last one is the story. The
// names for the reason, the topic, the handler and the subscriber are those of
// Watermill's PoisonQueue.
const (
	poisonReason     = middleware.ReasonForPoisonedKey // the last error
	poisonTopic      = middleware.PoisonedTopicKey
	poisonHandler    = middleware.PoisonedHandlerKey // "<pipeline>.<stage>"
	poisonSubscriber = middleware.PoisonedSubscriberKey
	poisonVersion    = "poison_version"
	poisonPartition  = "poison_partition"
	poisonOffset     = "poison_offset"
	poisonRecordTime = "poison_record_time"
	poisonTime       = "poison_time"
	poisonAttempts   = "poison_attempts"
	poisonFirstError = "poison_first_error"
)

// poisonFormat is the version of the story's headers.
const poisonFormat = "1"

// maxErrorText bounds an error in a story, in bytes, so that two of them and
// the rest of the story fit the 64 KiB that poison topics take beyond their
// inputs.
const maxErrorText = 8 << 10

// Poisoned is a message that was taken out of the flow, with its story.
type Poisoned struct {
	// Where it was read, and when it was stored there.
	Topic      string
	Partition  int32
	Offset     int64
	RecordTime time.Time

	// Stage is what could not do it, "<pipeline>.<stage>", and At is when it
	// gave up.
	Stage string
	At    time.Time

	// Attempts is how often it was tried: 0 for a record that is too large or
	// whose envelope is broken.
	Attempts int

	// FirstError and LastError are the errors of the first and the last
	// attempt.
	FirstError string
	LastError  string

	// Key, Value and Headers are the original's, byte for byte.
	Key     []byte
	Value   []byte
	Headers []kafka.Header
}

// headers are the original's and the story's.
func (p *Poisoned) headers() []kafka.Header {
	story := [...]struct{ key, value string }{
		{poisonReason, cut(p.LastError)},
		{poisonTopic, p.Topic},
		{poisonHandler, p.Stage},
		{poisonSubscriber, subscriberName},
		{poisonVersion, poisonFormat},
		{poisonPartition, strconv.FormatInt(int64(p.Partition), 10)},
		{poisonOffset, strconv.FormatInt(p.Offset, 10)},
		{poisonRecordTime, p.RecordTime.UTC().Format(time.RFC3339Nano)},
		{poisonTime, p.At.UTC().Format(time.RFC3339Nano)},
		{poisonAttempts, strconv.Itoa(p.Attempts)},
		{poisonFirstError, cut(p.FirstError)},
	}
	out := make([]kafka.Header, 0, len(p.Headers)+len(story))
	out = append(out, p.Headers...)
	for _, h := range story {
		out = append(out, kafka.Header{Key: []byte(h.key), Value: []byte(h.value)})
	}
	return out
}

const subscriberName = "penstock"

func cut(text string) string {
	if len(text) <= maxErrorText {
		return text
	}
	return text[:maxErrorText] + "…"
}

// ErrNotPoison is returned for a record that has no story of this format.
var ErrNotPoison = errors.New("not a poisoned message")

// storyLength is how many headers a story has.
const storyLength = 11

// ReadPoisoned reads a record of a poison topic. ErrNotPoison means that
// somebody else wrote it.
func ReadPoisoned(r *kafka.Record) (Poisoned, error) {
	n := len(r.Headers) - storyLength
	if n < 0 {
		return Poisoned{}, fmt.Errorf("record %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, ErrNotPoison)
	}
	story := make(map[string]string, storyLength)
	for _, h := range r.Headers[n:] {
		story[string(h.Key)] = string(h.Value)
	}
	if v := story[poisonVersion]; v != poisonFormat {
		return Poisoned{}, fmt.Errorf("record %s/%d@%d: %w: %s is %q, and %q is what this version reads", r.Topic, r.Partition, r.Offset, ErrNotPoison, poisonVersion, v, poisonFormat)
	}
	partition, errP := strconv.ParseInt(story[poisonPartition], 10, 32)
	offset, errO := strconv.ParseInt(story[poisonOffset], 10, 64)
	attempts, errA := strconv.Atoi(story[poisonAttempts])
	stored, errR := time.Parse(time.RFC3339Nano, story[poisonRecordTime])
	at, errT := time.Parse(time.RFC3339Nano, story[poisonTime])
	if err := errors.Join(errP, errO, errA, errR, errT); err != nil {
		return Poisoned{}, fmt.Errorf("record %s/%d@%d: %w: %w", r.Topic, r.Partition, r.Offset, ErrNotPoison, err)
	}
	return Poisoned{
		Topic: story[poisonTopic], Partition: int32(partition), Offset: offset, RecordTime: stored,
		Stage: story[poisonHandler], At: at, Attempts: attempts,
		FirstError: story[poisonFirstError], LastError: story[poisonReason],
		Key: r.Key, Value: r.Value, Headers: r.Headers[:n:n],
	}, nil
}
