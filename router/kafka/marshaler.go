package kafka

import (
	"github.com/ThreeDotsLabs/watermill/message"
)

// UUIDHeader is the record header that carries a Watermill message's UUID. It
// is the one that watermill-kafka writes and reads.
const UUIDHeader = "_watermill_message_uuid"

// idHeader carries the id of a CloudEvent.
const idHeader = "ce_id"

// Unmarshaler turns records into messages.
type Unmarshaler interface {
	Unmarshal(r *Record) (*message.Message, error)
}

// Marshaler turns messages into outputs, and records into messages.
type Marshaler interface {
	Marshal(topic string, m *message.Message) (Output, error)
	Unmarshaler
}

// DefaultMarshaler writes what watermill-kafka writes: the UUID and the
// metadata as headers, the payload as the value. It reads that, and records of
// CloudEvents producers and of a Penstock router, whose id is in ce_id.
type DefaultMarshaler struct {
	// Key gives the key of a message. Defaults to none.
	Key func(topic string, m *message.Message) (string, error)
}

var _ Marshaler = DefaultMarshaler{}

// Marshal implements Marshaler.
func (d DefaultMarshaler) Marshal(topic string, m *message.Message) (Output, error) {
	out := Output{Topic: topic, Value: m.Payload, Headers: make([]Header, 0, len(m.Metadata)+1)}
	if d.Key != nil {
		key, err := d.Key(topic, m)
		if err != nil {
			return Output{}, err
		}
		out.Key = []byte(key)
	}
	out.Headers = append(out.Headers, Header{Key: []byte(UUIDHeader), Value: []byte(m.UUID)})
	for k, v := range m.Metadata {
		if k != UUIDHeader {
			out.Headers = append(out.Headers, Header{Key: []byte(k), Value: []byte(v)})
		}
	}
	return out, nil
}

// Unmarshal implements Unmarshaler. Of a header that occurs more than once the
// last value counts.
func (DefaultMarshaler) Unmarshal(r *Record) (*message.Message, error) {
	var uuid, id string
	metadata := make(message.Metadata, len(r.Headers))
	for i := range r.Headers {
		switch key, value := string(r.Headers[i].Key), string(r.Headers[i].Value); key {
		case UUIDHeader:
			uuid = value
		case idHeader:
			id = value
			metadata.Set(key, value)
		default:
			metadata.Set(key, value)
		}
	}
	if uuid == "" {
		uuid = id
	}
	m := message.NewMessage(uuid, r.Value)
	m.Metadata = metadata
	return m, nil
}
