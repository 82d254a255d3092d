package wire

import "encoding/binary"

// The requests that tell what a client is at.
const (
	offsetCommit    = 8
	joinGroup       = 11
	syncGroup       = 14
	initProducerID  = 22
	addPartitions   = 24
	addOffsets      = 25
	endTransaction  = 26
	commitInTransac = 28
)

// headSize is how much of a request or an answer is looked at.
const headSize = 512

// frames cuts a stream into requests or answers, and hands over how each begins.
type frames struct {
	head []byte
	left int // bytes of the one that is under way, behind its head
	take func(head []byte)
}

// lengthSize is the size of the field ahead of each.
const lengthSize = 4

// feed goes on with the stream.
func (f *frames) feed(b []byte) {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, len(b))
			f.left, b = f.left-n, b[n:]
			continue
		}
		n := min(f.want()-len(f.head), len(b))
		f.head, b = append(f.head, b[:n]...), b[n:]
		if len(f.head) >= lengthSize && len(f.head) == f.want() {
			f.left = lengthSize + f.length() - len(f.head)
			f.take(f.head[lengthSize:])
			f.head = f.head[:0]
		}
	}
}

func (f *frames) length() int { return max(0, int(int32(binary.BigEndian.Uint32(f.head)))) }

// want is how long the head is to be.
func (f *frames) want() int {
	if len(f.head) < lengthSize {
		return lengthSize
	}
	return min(lengthSize+f.length(), headSize)
}

// request is what a request says at its begin.
type request struct {
	kind        int16
	number      int32  // the answer has it too
	client      string // who asks
	transaction string // of a request of a transaction
}

// flexible is the version of the requests of a transaction from which their fields
// are written in another way.
const flexible = 3

func parseRequest(head []byte) request {
	r := &fields{rest: head}
	q := request{kind: int16(r.uint16())}
	version := r.uint16()
	q.number = r.number()
	q.client = r.text(int(int16(r.uint16())))
	compact := version >= flexible
	switch q.kind {
	case initProducerID:
		compact = version >= 2
	case addPartitions, addOffsets, endTransaction, commitInTransac:
	default:
		return q
	}
	if compact {
		r.varint() // tags: none
		q.transaction = r.text(r.varint() - 1)
	} else {
		q.transaction = r.text(int(int16(r.uint16())))
	}
	return q
}

// fields takes fields from the front. Behind the end there are zeros.
type fields struct{ rest []byte }

func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.rest) {
		f.rest = nil
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) text(n int) string { return string(f.take(n)) }

func (f *fields) uint16() uint16 {
	if b := f.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (f *fields) number() int32 {
	if b := f.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (f *fields) varint() int {
	n, size := binary.Uvarint(f.rest)
	f.take(size)
	return int(n)
}
