package schemas

import "time"

// Envelope is what a message carries beside its value.
//
// An empty string means that the attribute is absent.
type Envelope struct {
	// ID names the message. It is the same on every attempt, and when the
	// message is made again from its parent.
	ID string

	// Key is the record's key, and HasKey tells an empty key, which is a key,
	// from none. Messages of one key keep their order; messages without a key
	// are spread.
	Key    string
	HasKey bool

	// Job is the id of the trigger that all of the job's messages descend from.
	Job string

	// Parent is the id of the message that this one was made of. It is empty where
	// that is the trigger, whose id is Job, and in a trigger.
	Parent string

	// Sequence counts the messages of a key from 1. 0 means none.
	Sequence int64

	// Time is when it happened that the trigger tells of, in UTC.
	Time time.Time

	// Type and Source say what kind of event this is and who made it.
	Type   string
	Source string

	// ReplyTo is the topic for the result of the job.
	ReplyTo string

	// TraceParent and TraceState are the W3C trace context.
	TraceParent string
	TraceState  string

	// ContentType is the media type of the value.
	ContentType string

	// Headers are the headers that the envelope does not interpret, in the order
	// in which they came.
	Headers []Header
}

// Header is a header that the envelope does not interpret. A name may occur more
// than once. Nobody may change the value's bytes.
type Header struct {
	Name  string
	Value []byte
}

// KafkaHeader is a Kafka client's type for a header of a record: that of sarama
// is one.
type KafkaHeader interface {
	~struct {
		Key   []byte
		Value []byte
	}
}

// Names of the headers that carry an envelope.
const (
	HeaderSpecVersion = "ce_specversion"
	HeaderID          = "ce_id"
	HeaderSource      = "ce_source"
	HeaderType        = "ce_type"
	HeaderTime        = "ce_time"
	HeaderSequence    = "ce_sequence"
	HeaderJob         = "ce_correlationid"
	HeaderParent      = "ce_causationid"
	HeaderContentType = "content-type"
	HeaderReplyTo     = "reply-to"
	HeaderTraceParent = "traceparent"
	HeaderTraceState  = "tracestate"

	// HeaderWatermillUUID is what watermill-kafka writes. It is read as the id
	// of a record that has no ce_id, and never written.
	HeaderWatermillUUID = "_watermill_message_uuid"
)

// SpecVersion is the version of CloudEvents that is written. Any 1.x is read.
const SpecVersion = "1.0"

// Bounds of what an envelope may hold, in bytes.
const (
	// MaxAttribute bounds every attribute that is text, ids included.
	MaxAttribute = 1024

	// MaxTopic bounds the reply topic: Kafka's own bound for a topic's name.
	MaxTopic = 249
)

// attribute is a place in the envelope that one header fills.
type attribute uint8

const (
	attrNone attribute = iota
	attrSpecVersion
	attrID
	attrSource
	attrType
	attrTime
	attrSequence
	attrJob
	attrParent
	attrContentType
	attrReplyTo
	attrTraceParent
	attrTraceState
	attrWatermillUUID
)

// attributeOf returns attrNone for a header that the envelope does not
// interpret. The compiler makes no string of name here.
func attributeOf(name []byte) attribute {
	switch string(name) {
	case HeaderSpecVersion:
		return attrSpecVersion
	case HeaderID:
		return attrID
	case HeaderSource:
		return attrSource
	case HeaderType:
		return attrType
	case HeaderTime:
		return attrTime
	case HeaderSequence:
		return attrSequence
	case HeaderJob:
		return attrJob
	case HeaderParent:
		return attrParent
	case HeaderContentType:
		return attrContentType
	case HeaderReplyTo:
		return attrReplyTo
	case HeaderTraceParent:
		return attrTraceParent
	case HeaderTraceState:
		return attrTraceState
	case HeaderWatermillUUID:
		return attrWatermillUUID
	}
	return attrNone
}

// IsReserved tells whether the envelope itself reads the header of this name, so
// that it cannot be among Envelope.Headers.
func IsReserved(name string) bool { return attributeOf([]byte(name)) != attrNone }
