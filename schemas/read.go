package schemas

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// ReadEnvelope fills e from a record's key and headers and returns the record's
// value: in structured mode (content-type application/cloudevents+json) the
// event's data, else value itself. A nil key is none, an empty one is a key. A
// record without any headers is fine; see [Envelope.Identify] for its id.
//
// Strings are made by text, so that a caller can lay those of many records into
// one allocation; nil makes a string of its own for each. Neither text nor e may
// keep the bytes; but Headers of e point into the record.
//
// An error is an [*EnvelopeError]. All that could be read is in e nevertheless,
// and the value is returned as it came, for the story of the poisoned record.
// A broken trace context is no error: it is left out, and a new trace begins.
func ReadEnvelope[H KafkaHeader](e *Envelope, key, value []byte, headers []H, text func([]byte) string) ([]byte, error) {
	if text == nil {
		text = func(b []byte) string { return string(b) }
	}
	*e = Envelope{HasKey: key != nil}
	if len(key) > 0 {
		e.Key = text(key)
	}
	r := reader{e: e, text: text}
	others := 0
	for i := range headers {
		h := struct{ Key, Value []byte }(headers[i])
		if a := attributeOf(h.Key); a != attrNone {
			r.header(a, h.Value)
		} else {
			others++
		}
	}
	if others > 0 {
		e.Headers = make([]Header, 0, others)
		for i := range headers {
			h := struct{ Key, Value []byte }(headers[i])
			if attributeOf(h.Key) == attrNone {
				e.Headers = append(e.Headers, Header{Name: text(h.Key), Value: h.Value})
			}
		}
	}
	if e.ID == "" && r.uuid != nil {
		e.ID = r.string(HeaderWatermillUUID, r.uuid, MaxAttribute)
	}
	if isStructured(e.ContentType) {
		data := r.structured(value)
		if r.err == nil {
			value = data
		}
	}
	if r.err != nil {
		return value, r.err
	}
	return value, nil
}

// reader collects the attributes of one record. The first mistake is kept.
type reader struct {
	e       *Envelope
	text    func([]byte) string
	seen    uint32 // a bit for each attribute
	uuid    []byte // watermill's, for a record that has no ce_id
	inEvent bool   // what is read is an attribute of a structured event
	err     error

	extensions []Header // of a structured event: what the envelope does not interpret
}

func (r *reader) failf(name, format string, args ...any) {
	if r.err == nil {
		r.err = &EnvelopeError{Name: name, Structured: r.inEvent, Reason: fmt.Sprintf(format, args...)}
	}
}

// header takes one header that the envelope interprets.
func (r *reader) header(a attribute, v []byte) {
	bit := uint32(1) << a
	again := r.seen&bit != 0
	r.seen |= bit
	name := names[a]
	switch {
	case a == attrTraceParent || a == attrTraceState:
		r.trace(a, v, again)
	case a == attrWatermillUUID:
		if !again && len(v) > 0 {
			r.uuid = v
		}
	case again:
		r.failf(name, "it is there more than once")
	case len(v) > 0:
		r.attribute(a, name, v)
	case a != attrContentType && a != attrReplyTo:
		r.failf(name, "it is empty")
	}
}

// attribute sets what is not a trace from a value that is not empty.
func (r *reader) attribute(a attribute, name string, v []byte) {
	switch a {
	case attrSpecVersion:
		if !isVersion1(v) {
			r.failf(name, "%s is not a version of CloudEvents that can be read; it must be 1.0", quote(v))
		}
	case attrID:
		r.e.ID = r.string(name, v, MaxAttribute)
	case attrSource:
		r.e.Source = r.string(name, v, MaxAttribute)
	case attrType:
		r.e.Type = r.string(name, v, MaxAttribute)
	case attrJob:
		r.e.Job = r.string(name, v, MaxAttribute)
	case attrParent:
		r.e.Parent = r.string(name, v, MaxAttribute)
	case attrReplyTo:
		r.e.ReplyTo = r.string(name, v, MaxTopic)
	case attrContentType:
		r.e.ContentType = r.contentType(name, v)
	case attrTime:
		r.time(name, v)
	case attrSequence:
		r.sequence(name, v)
	case attrNone, attrTraceParent, attrTraceState, attrWatermillUUID:
		// Not set from here.
	}
}

func (r *reader) string(name string, v []byte, limit int) string {
	if reason := checkText(v, limit); reason != "" {
		r.failf(name, "%s", reason)
		return ""
	}
	return r.text(v)
}

// contentType spares the two usual types a string of their own.
func (r *reader) contentType(name string, v []byte) string {
	switch string(v) {
	case ContentTypeJSON:
		return ContentTypeJSON
	case ContentTypeRaw:
		return ContentTypeRaw
	}
	return r.string(name, v, MaxAttribute)
}

func (r *reader) time(name string, v []byte) {
	if len(v) > MaxAttribute {
		r.failf(name, "it has %d bytes, more than %d", len(v), MaxAttribute)
		return
	}
	// UnmarshalText takes RFC 3339 and nothing else, and needs no string.
	var t time.Time
	if err := t.UnmarshalText(v); err != nil {
		r.failf(name, "%s is no time like 2006-01-02T15:04:05Z (RFC 3339)", quote(v))
		return
	}
	if t = t.UTC(); !isWritable(t) {
		r.failf(name, "%s is in a year without four digits in UTC", quote(v))
		return
	}
	r.e.Time = t
}

// isWritable holds for the years that RFC 3339 can write.
func isWritable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

func (r *reader) sequence(name string, v []byte) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n < 1 {
		r.failf(name, "%s is no whole number from 1", quote(v))
		return
	}
	r.e.Sequence = n
}

// trace takes a trace context. W3C asks to ignore a broken one, and two of one
// name are broken.
func (r *reader) trace(a attribute, v []byte, again bool) {
	s := ""
	if !again && len(v) > 0 && checkText(v, MaxAttribute) == "" {
		s = r.text(v)
	}
	if a == attrTraceParent {
		r.e.TraceParent = s
	} else {
		r.e.TraceState = s
	}
}

// checkText returns what is wrong with the bytes of an attribute, or "".
func checkText(v []byte, limit int) string {
	if len(v) > limit {
		return fmt.Sprintf("it has %d bytes, more than %d", len(v), limit)
	}
	if !utf8.Valid(v) {
		return quote(v) + " is not valid UTF-8"
	}
	return ""
}

// isVersion1 holds for 1.0, 1.1 and so on: a minor version breaks no reader.
func isVersion1(v []byte) bool {
	if len(v) < 3 || len(v) > 8 || v[0] != '1' || v[1] != '.' {
		return false
	}
	for _, c := range v[2:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

var names = [...]string{
	attrSpecVersion:   HeaderSpecVersion,
	attrID:            HeaderID,
	attrSource:        HeaderSource,
	attrType:          HeaderType,
	attrTime:          HeaderTime,
	attrSequence:      HeaderSequence,
	attrJob:           HeaderJob,
	attrParent:        HeaderParent,
	attrContentType:   HeaderContentType,
	attrReplyTo:       HeaderReplyTo,
	attrTraceParent:   HeaderTraceParent,
	attrTraceState:    HeaderTraceState,
	attrWatermillUUID: HeaderWatermillUUID,
}
