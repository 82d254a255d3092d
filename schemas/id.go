package schemas

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// idBytes is how much of a hash makes an id: 128 bits. As text it has idChars.
const (
	idBytes = 16
	idChars = 22
)

// DeriveID names the output with this index that a stage made of parent. It is
// the same on every attempt, and also when parent itself was repeated: the first
// 16 bytes of the SHA-256 over the three parts, each with its length before it,
// in base64url.
//
// 128 bits are enough: of 10^12 ids side by side two are equal with a chance
// below 10^-14. 96 bits would save 6 bytes and make that 10^-5. The hash is one that
// nobody can aim at, because ids of triggers come from outside.
func DeriveID(parent, stage string, index int) string {
	var text [idChars]byte
	return string(AppendID(text[:0], parent, stage, index))
}

// AppendID appends what [DeriveID] returns to dst.
func AppendID(dst []byte, parent, stage string, index int) []byte {
	var scratch [128]byte // parents of any usual length cost no allocation
	b := appendPart(scratch[:0], parent)
	b = appendPart(b, stage)
	b = binary.BigEndian.AppendUint64(b, uint64(index))
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.AppendEncode(dst, sum[:idBytes])
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
