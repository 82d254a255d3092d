package schemas

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// idBytes is how much of a hash makes an id: 128 bits, 22 characters.
const idBytes = 16

// DeriveID names the output with this index that a stage made of parent. It is
// the same on every attempt, and also when parent itself was repeated: the first
// 16 bytes of the SHA-256 over the three parts, each with its length before it,
// in base64url.
func DeriveID(parent, stage string, index int) string {
	var scratch [256]byte // parents of any usual length cost no allocation
	b := appendPart(scratch[:0], parent)
	b = appendPart(b, stage)
	b = binary.BigEndian.AppendUint64(b, uint64(index))
	sum := sha256.Sum256(b)
	var text [22]byte
	base64.RawURLEncoding.Encode(text[:], sum[:idBytes])
	return string(text[:])
}

// appendPart puts the length before the part, so that no two lists of parts have
// the same bytes.
func appendPart(b []byte, part string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
	return append(b, part...)
}

// RecordID is the id of a record that came without one: where it is stored. The
// topic's id, not its name, makes it differ from a record of a topic of the same
// name that was deleted.
func RecordID(topicID [16]byte, partition int32, offset int64) string {
	var scratch [64]byte
	b := base64.RawURLEncoding.AppendEncode(scratch[:0], topicID[:])
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(partition), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, offset, 10)
	return string(b)
}

// Identify completes an envelope that was read: a record without an id takes its
// place as one, and a record that belongs to no job is the trigger of its own.
func (e *Envelope) Identify(topicID [16]byte, partition int32, offset int64) {
	if e.ID == "" {
		e.ID = RecordID(topicID, partition, offset)
	}
	if e.Job == "" {
		e.Job = e.ID
	}
}
