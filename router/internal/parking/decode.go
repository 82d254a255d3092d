package parking

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// ErrNotRecord means that a record has no header of a retry log at its end.
// Somebody else wrote it.
var ErrNotRecord = errors.New("not a record of a retry log")

// ErrMalformed means that a record's header is of the format that is read here,
// and is broken.
var ErrMalformed = errors.New("malformed record of a retry log")

// VersionError says that a record has a format that this version does not know.
// Who reads the log must stop: skipping it would lose what it says.
type VersionError struct{ Version byte }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the record's format is %d, and %d is what this version reads", e.Version, Version)
}

// Decode reads a record of a retry log. What it returns points into r: to its
// key, its value and its headers. An error says where the record lies, and is
// [ErrNotRecord], [ErrMalformed] or a [*VersionError].
func Decode(r *kafka.Record) (Event, error) {
	n := len(r.Headers) - 1
	if n < 0 || string(r.Headers[n].Key) != HeaderName {
		return nil, fmt.Errorf("read record %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, ErrNotRecord)
	}
	e, err := decode(r.Headers[n].Value, Message{Key: r.Key, Value: r.Value, Headers: r.Headers[:n:n]})
	if err != nil {
		return nil, fmt.Errorf("read record %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	return e, nil
}

func decode(b []byte, m Message) (Event, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: the header is empty", ErrMalformed)
	}
	if b[0] != Version {
		return nil, &VersionError{Version: b[0]}
	}
	d := decoder{b: b[1:]}
	k := kind(d.byte())
	e := d.event(k, m)
	switch {
	case e == nil && !d.short:
		return nil, fmt.Errorf("%w: kind %d", ErrMalformed, k)
	case d.short:
		return nil, fmt.Errorf("%w: its header of %d bytes is too short", ErrMalformed, len(b))
	case d.bad != "":
		return nil, fmt.Errorf("%w: %s", ErrMalformed, d.bad)
	case len(d.b) > 0:
		return nil, fmt.Errorf("%w: %d bytes follow its header's end", ErrMalformed, len(d.b))
	}
	return e, nil
}

// decoder reads fields one by one. Beyond the end it reads zeros and is short.
type decoder struct {
	b     []byte
	short bool
	bad   string // what a value is that it may not be
}

func (d *decoder) event(k kind, m Message) Event {
	switch k {
	case kindTake:
		return &Take{}
	case kindResume:
		return &Resume{Epoch: d.int(), Topic: d.topic(), Start: d.int()}
	case kindPark:
		return d.park(m)
	case kindStart:
		return &Start{Epoch: d.int(), Entries: d.entries()}
	case kindDone:
		return &Done{Epoch: d.int(), Outcome: d.outcome(), Entries: d.entries()}
	case kindReplay:
		return &Replay{Entry: d.entry(), Replayed: d.replayed(), Message: m}
	case kindDrop:
		return &Drop{Of: d.entry(), By: d.text(MaxName), At: d.time()}
	case kindScan:
		return &Scan{Epoch: d.int()}
	}
	return nil
}

func (d *decoder) park(m Message) *Park {
	p := &Park{
		Epoch: d.int(), Entry: d.entry(), Rank: d.int(), Prev: d.int(),
		Attempts: d.count(), Starts: d.count(),
		NotBefore: d.time(), Since: d.time(), SourceTime: d.time(),
		FirstError: d.text(MaxErrorText), LastError: d.text(MaxErrorText),
		Message: m,
	}
	flags := d.flags(flagHeld | flagReplayed)
	p.Held = flags&flagHeld != 0
	if flags&flagReplayed != 0 {
		r := d.replayed()
		p.Replay = &r
	}
	if (p.Rank < 0) != (p.Prev < 0) || p.Rank < -1 || p.Prev < -1 {
		d.bad = fmt.Sprintf("rank %d with the record before it at %d", p.Rank, p.Prev)
	}
	return p
}

func (d *decoder) replayed() Replayed {
	r := Replayed{
		Of: d.entry(), SourceTopic: d.text(MaxName), SourcePartition: int32(d.uint32()), SourceTime: d.time(),
		Attempts: d.count(), Replays: d.count(), FirstError: d.text(MaxErrorText), By: d.text(MaxName), At: d.time(),
	}
	r.Edited = d.flags(flagEdited)&flagEdited != 0
	return r
}

func (d *decoder) entries() []Entry {
	n := d.count()
	if n == 0 || n > MaxEntries {
		d.bad = fmt.Sprintf("%d entries, and 1 to %d are allowed", n, MaxEntries)
		return nil
	}
	if n*entrySize > len(d.b) {
		d.short = true
		return nil
	}
	out := make([]Entry, n)
	for i := range out {
		out[i] = d.entry()
	}
	return out
}

const entrySize = 16 + 8

func (d *decoder) entry() Entry { return Entry{Topic: d.topic(), Offset: d.int()} }

func (d *decoder) topic() (id [16]byte) {
	copy(id[:], d.take(len(id)))
	return id
}

func (d *decoder) outcome() Outcome {
	o := Outcome(d.byte())
	if o < Succeeded || o > Poisoned {
		d.bad = fmt.Sprintf("outcome %d", o)
	}
	return o
}

func (d *decoder) flags(known byte) byte {
	f := d.byte()
	if f&^known != 0 {
		d.bad = fmt.Sprintf("flags %#x", f)
	}
	return f
}

func (d *decoder) count() int {
	n := d.uint32()
	if n > 1<<31-1 {
		d.bad = fmt.Sprintf("a count of %d", n)
		return 0
	}
	return int(n)
}

func (d *decoder) text(limit int) string {
	n := d.uint32()
	if n > uint32(limit) {
		d.bad = fmt.Sprintf("a text of %d bytes, and %d are allowed", n, limit)
		return ""
	}
	return string(d.take(int(n)))
}

func (d *decoder) time() time.Time {
	n := d.int()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) int() int64 {
	if b := d.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// take is the next n bytes, or nil where there are fewer.
func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.b, d.short = nil, true
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

// DecodeParked reads the record of a live message, PARK or REPLAY, as the PARK
// that [Item.Again] is made of. Another record is [ErrMalformed]. It points into
// r as Decode does.
func DecodeParked(r *kafka.Record) (*Park, error) {
	e, err := Decode(r)
	if err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *Park:
		return e, nil
	case *Replay:
		return e.AsPark(r.Offset), nil
	}
	return nil, fmt.Errorf("read record %s/%d@%d: %w: it parks no message", r.Topic, r.Partition, r.Offset, ErrMalformed)
}
