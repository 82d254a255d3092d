package retrylog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// version is the format that is read.
const version = 2

// The flags of a PARK.
const (
	isHeld     = 1 << 0
	isReplayed = 1 << 1
)

// Decode reads the value of a record's last header.
func Decode(value []byte) (Event, error) {
	r := &reader{rest: value}
	if v := r.byte(); r.err == nil && v != version {
		return Event{}, fmt.Errorf("the record has format %d", v)
	}
	e := Event{Kind: Kind(r.byte())}
	switch e.Kind {
	case Take:
	case Resume:
		e.Epoch, e.Input, e.W = r.int(), r.topic(), r.int()
	case Park:
		e.Epoch = r.int()
		e.Parked = r.parked()
	case Start:
		e.Epoch, e.Entries = r.int(), r.entries()
	case Done:
		e.Epoch, e.Outcome, e.Entries = r.int(), Outcome(r.byte()), r.entries()
	case Scan:
		e.Epoch = r.int()
	case Replay, Drop:
		return e, r.err
	default:
		r.fail(fmt.Errorf("there is no kind %d", e.Kind))
	}
	if r.err == nil && len(r.rest) > 0 && !e.Replayed {
		r.fail(fmt.Errorf("%d bytes are left", len(r.rest)))
	}
	return e, r.err
}

// reader takes fields from the front. After the first error it gives zeros.
type reader struct {
	rest []byte
	err  error
}

var errShort = errors.New("the record ends within a field")

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take is the next n bytes, which are zeros where there are not so many.
func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || len(r.rest) < n {
		r.fail(errShort)
		r.rest = nil
		return make([]byte, min(max(n, 0), 16))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte       { return r.take(1)[0] }
func (r *reader) count() int       { return int(int32(binary.BigEndian.Uint32(r.take(4)))) }
func (r *reader) int() int64       { return int64(binary.BigEndian.Uint64(r.take(8))) }
func (r *reader) topic() [16]byte  { return [16]byte(r.take(16)) }
func (r *reader) entry() (e Entry) { e.Topic, e.Offset = r.topic(), r.int(); return e }
func (r *reader) text()            { r.take(r.count()) }
func (r *reader) time() (t time.Time) {
	if n := r.int(); n != 0 {
		t = time.Unix(0, n)
	}
	return t
}

func (r *reader) entries() []Entry {
	n := r.count()
	if n < 1 || n > len(r.rest)/24 {
		r.fail(errShort)
		return nil
	}
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = r.entry()
	}
	return entries
}

func (r *reader) parked() (p Parked) {
	p.Entry, p.Rank, p.Prev = r.entry(), r.int(), r.int()
	p.Attempts, p.Starts = r.count(), r.count()
	p.NotBefore = r.time()
	r.time() // of the first failure
	r.time() // the source's
	r.text() // the first error
	r.text() // the last one
	flags := r.byte()
	p.Held, p.Replayed = flags&isHeld != 0, flags&isReplayed != 0
	if flags&^(isHeld|isReplayed) != 0 {
		r.fail(fmt.Errorf("the flags %b are not all known", flags))
	}
	if (p.Rank < 0) != (p.Prev < 0) {
		r.fail(errors.New("it has either a rank or a place before, and must have both or neither"))
	}
	return p
}
