package schemas

import (
	"strconv"
	"time"
)

// Names as bytes, made once: headers are written for each message.
var (
	keySpecVersion = []byte(HeaderSpecVersion)
	keyID          = []byte(HeaderID)
	keySource      = []byte(HeaderSource)
	keyType        = []byte(HeaderType)
	keyTime        = []byte(HeaderTime)
	keySequence    = []byte(HeaderSequence)
	keyJob         = []byte(HeaderJob)
	keyParent      = []byte(HeaderParent)
	keyContentType = []byte(HeaderContentType)
	keyReplyTo     = []byte(HeaderReplyTo)
	keyTraceParent = []byte(HeaderTraceParent)
	keyTraceState  = []byte(HeaderTraceState)

	valueSpecVersion = []byte(SpecVersion)
)

// AppendHeaders appends the headers that carry e to dst, and their bytes to
// arena, and returns both. What is empty is not written, and the key is not among
// the headers: it is the record's own. Headers of e that [IsReserved] are left
// out, so that no attribute can be there twice.
//
// The headers point into the arena, so an arena may be appended to but never be
// reused while they live. One arena for a batch costs about one allocation for
// all of its messages; nil is fine.
//
// ReadEnvelope returns e again, given that [Envelope.Validate] finds nothing.
func AppendHeaders[H KafkaHeader](dst []H, arena []byte, e *Envelope) ([]H, []byte) {
	add := func(key []byte, value string) {
		if value == "" {
			return
		}
		start := len(arena)
		arena = append(arena, value...)
		dst = append(dst, H{Key: key, Value: arena[start:len(arena):len(arena)]})
	}
	dst = append(dst, H{Key: keySpecVersion, Value: valueSpecVersion})
	add(keyID, e.ID)
	add(keySource, e.Source)
	add(keyType, e.Type)
	add(keyJob, e.Job)
	add(keyParent, e.Parent)
	if !e.Time.IsZero() {
		start := len(arena)
		arena = e.Time.UTC().AppendFormat(arena, time.RFC3339Nano)
		dst = append(dst, H{Key: keyTime, Value: arena[start:len(arena):len(arena)]})
	}
	if e.Sequence != 0 {
		start := len(arena)
		arena = strconv.AppendInt(arena, e.Sequence, 10)
		dst = append(dst, H{Key: keySequence, Value: arena[start:len(arena):len(arena)]})
	}
	add(keyContentType, e.ContentType)
	add(keyReplyTo, e.ReplyTo)
	add(keyTraceParent, e.TraceParent)
	add(keyTraceState, e.TraceState)
	for _, h := range e.Headers {
		if IsReserved(h.Name) {
			continue
		}
		start := len(arena)
		arena = append(arena, h.Name...)
		dst = append(dst, H{Key: arena[start:len(arena):len(arena)], Value: h.Value})
	}
	return dst, arena
}
