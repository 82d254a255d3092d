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
// arena, and returns both: [AppendCommon] and then [AppendOwn]. What is empty is
// not written, and the key is not among the headers: it is the record's own.
// Headers of e that [IsReserved] are left out, so that no attribute can be there
// twice.
//
// The headers point into the arena, so an arena may be appended to but never be
// reused while they live. One arena for a batch costs about one allocation for
// all of its messages; nil is fine.
//
// ReadEnvelope returns e again, given that [Envelope.Validate] finds nothing.
func AppendHeaders[H KafkaHeader](dst []H, arena []byte, e *Envelope) ([]H, []byte) {
	return AppendOwn(AppendCommon(dst, e), arena, e)
}

// AppendCommon appends those headers of e that all messages of one maker and one
// kind have in common: version, source, type and content type. They have memory
// of their own. Make them once and copy them for each message.
func AppendCommon[H KafkaHeader](dst []H, e *Envelope) []H {
	dst = append(dst, H{Key: keySpecVersion, Value: valueSpecVersion})
	if e.Source != "" {
		dst = append(dst, H{Key: keySource, Value: []byte(e.Source)})
	}
	if e.Type != "" {
		dst = append(dst, H{Key: keyType, Value: []byte(e.Type)})
	}
	if e.ContentType != "" {
		dst = append(dst, H{Key: keyContentType, Value: []byte(e.ContentType)})
	}
	return dst
}

// SizeOwn is how many headers, and bytes in the arena, AppendOwn appends for e at
// most.
func SizeOwn(e *Envelope) (headers, bytes int) {
	for _, s := range [...]*string{&e.ID, &e.Job, &e.Parent, &e.ReplyTo, &e.TraceParent, &e.TraceState} {
		if *s != "" {
			headers++
			bytes += len(*s)
		}
	}
	if !e.Time.IsZero() {
		headers++
		bytes += len(time.RFC3339Nano)
	}
	if e.Sequence != 0 {
		headers++
		bytes += len("-9223372036854775808")
	}
	for i := range e.Headers {
		headers++
		bytes += len(e.Headers[i].Name)
	}
	return headers, bytes
}

// AppendOwn appends the headers of e that AppendCommon does not. See
// [AppendHeaders] for the arena.
func AppendOwn[H KafkaHeader](dst []H, arena []byte, e *Envelope) ([]H, []byte) {
	if e.ID != "" {
		dst, arena = appendText(dst, arena, keyID, e.ID)
	}
	if e.Job != "" {
		dst, arena = appendText(dst, arena, keyJob, e.Job)
	}
	if e.Parent != "" {
		dst, arena = appendText(dst, arena, keyParent, e.Parent)
	}
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
	if e.ReplyTo != "" {
		dst, arena = appendText(dst, arena, keyReplyTo, e.ReplyTo)
	}
	if e.TraceParent != "" {
		dst, arena = appendText(dst, arena, keyTraceParent, e.TraceParent)
	}
	if e.TraceState != "" {
		dst, arena = appendText(dst, arena, keyTraceState, e.TraceState)
	}
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

func appendText[H KafkaHeader](dst []H, arena, key []byte, value string) ([]H, []byte) {
	start := len(arena)
	arena = append(arena, value...)
	return append(dst, H{Key: key, Value: arena[start:len(arena):len(arena)]}), arena
}
