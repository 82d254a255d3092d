package router

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

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

	// Since format 2.
	poisonTopicID = "poison_topic_id" // in hex
	poisonReplays = "poison_replays"
)

// The formats of the story's headers: the one that is written, and the one of
// older records, which is read too. That one has no topic's id and counts no
// replays.
const (
	poisonFormat  = "2"
	poisonFormat1 = "1"
)

// maxErrorText bounds an error in a story, in bytes, so that two of them and
// the rest of the story fit the 64 KiB that poison topics take beyond their
// inputs.
const maxErrorText = 8 << 10

// Poisoned is a message that was taken out of the flow, with its story.
type Poisoned struct {
	// Where it was read first, however often it was replayed since, and when it
	// was stored there. TopicID is zero where an older version has poisoned it.
	Topic      string
	TopicID    [16]byte
	Partition  int32
	Offset     int64
	RecordTime time.Time

	// Stage is what could not do it, "<pipeline>.<stage>", and At is when it
	// gave up.
	Stage string
	At    time.Time

	// Attempts is how often it was tried, those before replays counted: 0 for a
	// record that is too large or whose envelope is broken.
	Attempts int

	// Replays is how often it was replayed before it was poisoned this time.
	Replays int

	// FirstError and LastError are the errors of the first attempt ever and of
	// the last one.
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
		{poisonRecordTime, storyText(p.RecordTime)},
		{poisonTime, storyText(p.At)},
		{poisonAttempts, strconv.Itoa(p.Attempts)},
		{poisonFirstError, cut(p.FirstError)},
		{poisonTopicID, hex.EncodeToString(p.TopicID[:])},
		{poisonReplays, strconv.Itoa(p.Replays)},
	}
	out := make([]kafka.Header, 0, len(p.Headers)+len(story))
	out = append(out, p.Headers...)
	for _, h := range story {
		out = append(out, kafka.Header{Key: []byte(h.key), Value: []byte(h.value)})
	}
	return out
}

const subscriberName = "penstock"

// cut bounds an error's text, and shows that it did.
func cut(text string) string {
	if len(text) <= maxErrorText {
		return text
	}
	return cutText(text, maxErrorText) + "…"
}

// cutText cuts a text at a limit in bytes, and not within a character.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// ErrNotPoison is returned for a record that has no story of this format.
var ErrNotPoison = errors.New("not a poisoned message")

// How many headers a story has, by its format.
const (
	storyLength  = 13
	story1Length = 11
)

// ReadPoisoned reads a record of a poison topic. ErrNotPoison means that it is
// none of a poisoned message: an action of an operator, which [ReadPoisonAction]
// reads, or somebody else's.
func ReadPoisoned(r *kafka.Record) (Poisoned, error) {
	story, original, version := storyOf(r.Headers)
	wrong := func(err error) error {
		return fmt.Errorf("record %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	if story == nil {
		return Poisoned{}, wrong(fmt.Errorf("%w: its %s is %q, and %s and %s are what this version reads", ErrNotPoison, poisonVersion, version, poisonFormat1, poisonFormat))
	}
	partition, errP := strconv.ParseInt(story[poisonPartition], 10, 32)
	offset, errO := strconv.ParseInt(story[poisonOffset], 10, 64)
	attempts, errA := strconv.Atoi(story[poisonAttempts])
	stored, errR := storyTime(story[poisonRecordTime])
	at, errT := storyTime(story[poisonTime])
	p := Poisoned{
		Topic: story[poisonTopic], Partition: int32(partition), Offset: offset, RecordTime: stored,
		Stage: story[poisonHandler], At: at, Attempts: attempts,
		FirstError: story[poisonFirstError], LastError: story[poisonReason],
		Key: r.Key, Value: r.Value, Headers: original,
	}
	errs := []error{errP, errO, errA, errR, errT}
	if version == poisonFormat {
		var errN error
		p.Replays, errN = strconv.Atoi(story[poisonReplays])
		errs = append(errs, errN, readTopicID(&p.TopicID, story[poisonTopicID]))
	}
	if p.Partition < 0 || p.Offset < 0 || p.Attempts < 0 || p.Replays < 0 {
		errs = append(errs, errors.New("a number of its story is negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return Poisoned{}, wrong(fmt.Errorf("%w: %w", ErrNotPoison, err))
	}
	return p, nil
}

// storyOf parts a record's headers into the story and the original's. It is nil
// where they end in none.
func storyOf(headers []kafka.Header) (story map[string]string, original []kafka.Header, version string) {
	for _, format := range [...]struct {
		version string
		length  int
	}{{poisonFormat, storyLength}, {poisonFormat1, story1Length}} {
		n := len(headers) - format.length
		if n < 0 {
			continue
		}
		story = make(map[string]string, format.length)
		for _, h := range headers[n:] {
			story[string(h.Key)] = string(h.Value)
		}
		if version = story[poisonVersion]; version == format.version && len(story) == format.length {
			return story, headers[:n:n], version
		}
	}
	return nil, nil, version
}

// storyText is a time as stories have it. Whoever puts a record into a topic may give
// it a time of any year; what cannot be written becomes the nearest that can.
func storyText(t time.Time) string {
	t = t.UTC()
	switch year := t.Year(); {
	case year < 0:
		t = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	case year > 9999:
		t = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t.Format(time.RFC3339Nano)
}

// storyTime reads what storyText writes.
func storyTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if year := at.UTC().Year(); err == nil && (year < 0 || year > 9999) {
		err = fmt.Errorf("%q is a time of the year %d", text, year)
	}
	return at, err
}

func readTopicID(id *[16]byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return fmt.Errorf("%s is %q, which is no topic's id", poisonTopicID, text)
	}
	copy(id[:], b)
	return nil
}
