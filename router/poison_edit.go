package router

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// EditedID is the id of a message that was edited: the id that it had, "~", and
// 16 hex digits of the new value's SHA-256. So it names what it was made of, and
// the same edit has the same id however often it is made.
func EditedID(id string, value []byte) string {
	sum := sha256.Sum256(value)
	return id + "~" + hex.EncodeToString(sum[:8])
}

// edit is the message that is replayed: with an id where it is not as it was.
func edit(m *PoisonMessage, change func(*PoisonMessage) ([]byte, error)) (_ parking.Message, id string, err error) {
	same := parking.Message{Key: m.Key, Value: m.Value, Headers: m.Headers}
	if change == nil {
		return same, "", nil
	}
	value, err := change(m)
	if err != nil {
		return same, "", err
	}
	if bytes.Equal(value, m.Value) && (value == nil) == (m.Value == nil) {
		return same, "", nil
	}
	// A mistake in the envelope may be why it was poisoned. What could be read of
	// it is there.
	var e schemas.Envelope
	_, _ = schemas.ReadEnvelope(&e, m.Key, m.Value, m.Headers, nil)
	e.Identify(m.TopicID, m.Partition, m.Offset)
	id = EditedID(e.ID, value)
	if len(id) > schemas.MaxAttribute {
		return same, "", fmt.Errorf("its new id would have %d bytes, more than the limit of %d: send what is right with \"trigger\" and drop this one", len(id), schemas.MaxAttribute)
	}
	edited := parking.Message{Key: m.Key, Value: value}
	if isEvent(m.Headers) {
		edited.Headers = m.Headers
		edited.Value, err = withIDs(value, id, e.Job)
		return edited, id, err
	}
	edited.Headers = slices.DeleteFunc(slices.Clone(m.Headers), func(h kafka.Header) bool {
		return string(h.Key) == schemas.HeaderID || string(h.Key) == schemas.HeaderJob
	})
	edited.Headers = append(edited.Headers,
		kafka.Header{Key: []byte(schemas.HeaderID), Value: []byte(id)},
		kafka.Header{Key: []byte(schemas.HeaderJob), Value: []byte(e.Job)})
	return edited, id, nil
}

// isEvent tells whether the value is a whole event, with the envelope in it: an
// envelope that was read has the content type of its data.
func isEvent(headers []kafka.Header) bool {
	for _, h := range headers {
		if string(h.Key) == schemas.HeaderContentType {
			media, _, _ := strings.Cut(string(h.Value), ";")
			return strings.EqualFold(strings.TrimSpace(media), schemas.ContentTypeStructured)
		}
	}
	return false
}

// withIDs sets the id and the job of a whole event. Its other members stay as
// they are, in the order of their names.
func withIDs(event []byte, id, job string) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		return nil, fmt.Errorf("the new value is no event, and the message's content-type says so: %w", err)
	}
	if members == nil {
		return nil, errors.New("the new value is no event, and the message's content-type says so")
	}
	for name, text := range map[string]string{"id": id, strings.TrimPrefix(schemas.HeaderJob, "ce_"): job} {
		quoted, err := json.Marshal(text)
		if err != nil {
			return nil, fmt.Errorf("write the %s of the event: %w", name, err)
		}
		members[name] = quoted
	}
	return json.Marshal(members)
}
