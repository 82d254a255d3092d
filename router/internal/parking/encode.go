package parking

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"

	"github.com/penstock/penstock/router/kafka"
)

// HeaderName is the key of the one header that a record of a retry log has more
// than the message had. It is the last one.
const HeaderName = "penstock-park"

// Version is the first byte of that header: the format that Encode writes and
// Decode reads.
const Version = 2

// Texts that are longer are cut, in bytes, so that a record's header stays well
// below the 64 KiB that a retry log takes beyond its input.
const (
	MaxErrorText = 8 << 10
	MaxName      = 1 << 10
)

// MaxEntries is how many entries one START or DONE may name.
const MaxEntries = 1024

// Encode is the record that says e. Key and value are the message's own, and the
// headers are a new slice: the message's, and one more. It neither keeps nor
// changes what e points to. Times are written to the nanosecond.
func Encode(e Event) (key, value []byte, headers []kafka.Header) {
	var m Message
	switch e := e.(type) {
	case *Park:
		m = e.Message
	case *Replay:
		m = e.Message
	}
	headers = make([]kafka.Header, 0, len(m.Headers)+1)
	headers = append(headers, m.Headers...)
	headers = append(headers, kafka.Header{Key: []byte(HeaderName), Value: encode(e)})
	return m.Key, m.Value, headers
}

// Flags of a PARK and of a REPLAY.
const (
	flagHeld     = 1 << 0
	flagReplayed = 1 << 1

	flagEdited = 1 << 0
)

func encode(e Event) []byte {
	b := append(make([]byte, 0, 128), Version, byte(e.kind()))
	switch e := e.(type) {
	case *Resume:
		b = appendInt(b, e.Epoch)
		b = append(b, e.Topic[:]...)
		b = appendInt(b, e.Start)
	case *Park:
		b = appendPark(b, e)
	case *Start:
		b = appendInt(b, e.Epoch)
		b = appendEntries(b, e.Entries)
	case *Done:
		b = appendInt(b, e.Epoch)
		b = append(b, byte(e.Outcome))
		b = appendEntries(b, e.Entries)
	case *Replay:
		b = appendEntry(b, e.Entry)
		b = appendReplayed(b, &e.Replayed)
	case *Drop:
		b = appendEntry(b, e.Of)
		b = appendText(b, e.By, MaxName)
		b = appendTime(b, e.At)
	case *Scan:
		b = appendInt(b, e.Epoch)
	}
	return b
}

func appendPark(b []byte, p *Park) []byte {
	b = appendInt(b, p.Epoch)
	b = appendEntry(b, p.Entry)
	b = appendInt(b, p.Rank)
	b = appendInt(b, p.Prev)
	b = appendCount(b, p.Attempts)
	b = appendCount(b, p.Starts)
	b = appendTime(b, p.NotBefore)
	b = appendTime(b, p.Since)
	b = appendTime(b, p.SourceTime)
	b = appendText(b, p.FirstError, MaxErrorText)
	b = appendText(b, p.LastError, MaxErrorText)
	var flags byte
	if p.Held {
		flags |= flagHeld
	}
	if p.Replay == nil {
		return append(b, flags)
	}
	return appendReplayed(append(b, flags|flagReplayed), p.Replay)
}

func appendReplayed(b []byte, r *Replayed) []byte {
	b = appendEntry(b, r.Of)
	b = appendText(b, r.SourceTopic, MaxName)
	b = binary.BigEndian.AppendUint32(b, uint32(r.SourcePartition))
	b = appendTime(b, r.SourceTime)
	b = appendCount(b, r.Attempts)
	b = appendCount(b, r.Replays)
	b = appendText(b, r.FirstError, MaxErrorText)
	b = appendText(b, r.By, MaxName)
	b = appendTime(b, r.At)
	var flags byte
	if r.Edited {
		flags |= flagEdited
	}
	return append(b, flags)
}

func appendEntries(b []byte, entries []Entry) []byte {
	b = appendCount(b, len(entries))
	for _, e := range entries {
		b = appendEntry(b, e)
	}
	return b
}

func appendEntry(b []byte, e Entry) []byte { return appendInt(append(b, e.Topic[:]...), e.Offset) }

func appendInt(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }

// appendCount writes what is never negative.
func appendCount(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(min(max(n, 0), math.MaxInt32)))
}

// appendTime writes nanoseconds since 1970, and 0 for none.
func appendTime(b []byte, t time.Time) []byte { return appendInt(b, nanos(t)) }

// appendText writes at most limit bytes of a text, and no half of a character.
func appendText(b []byte, text string, limit int) []byte {
	text = cut(text, limit)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// nanos is t as it is written: 0 for none, and the last time there is for one
// that lies beyond (in the year 2262).
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.After(lastTime):
		return math.MaxInt64
	case t.Before(firstTime):
		return math.MinInt64
	}
	return t.UnixNano()
}

var (
	firstTime = time.Unix(0, math.MinInt64)
	lastTime  = time.Unix(0, math.MaxInt64)
)
