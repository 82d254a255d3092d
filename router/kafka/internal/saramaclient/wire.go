package saramaclient

import (
	"encoding/binary"
	"errors"
)

// errMalformed means that a broker sent what nobody can read.
var errMalformed = errors.New("the broker's answer is malformed")

// wire reads the protocol's values from bytes that came from outside. Once they
// are too short for one, or no such value, everything that follows is zero.
type wire struct {
	rest  []byte
	short bool
}

func (w *wire) take(n int) []byte {
	if n < 0 || n > len(w.rest) {
		w.rest, w.short = nil, true
		return nil
	}
	b := w.rest[:n:n]
	w.rest = w.rest[n:]
	return b
}

func (w *wire) int16() int16 {
	if b := w.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (w *wire) int32() int32 {
	if b := w.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (w *wire) int64() int64 {
	if b := w.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// count reads the length of an array, each of whose elements takes some bytes.
func (w *wire) count() int {
	n := int(w.int32())
	if n > len(w.rest) {
		w.take(n)
		return 0
	}
	return max(n, 0) // -1: none
}

func (w *wire) varint() int64 {
	if len(w.rest) > 0 && w.rest[0] < 0x80 { // most are short
		b := w.rest[0]
		w.rest = w.rest[1:]
		return int64(b>>1) ^ -int64(b&1)
	}
	v, n := binary.Varint(w.rest)
	if n <= 0 {
		w.rest, w.short = nil, true
		return 0
	}
	w.rest = w.rest[n:]
	return v
}

// bytes reads a length and as many bytes: nil for a negative one.
func (w *wire) bytes() []byte {
	n := w.varint()
	if n < 0 {
		return nil
	}
	if n > int64(len(w.rest)) {
		w.rest, w.short = nil, true
		return nil
	}
	return w.take(int(n))
}
