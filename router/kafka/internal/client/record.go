package client

import (
	"math/bits"
	"time"
)

// Header is one header of a record. A key may occur more than once.
type Header struct {
	Key   []byte
	Value []byte
}

// Record is a record as it was read. Nobody may change what it points to.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      time.Time
	Key       []byte // nil: the record has no key; empty is a key
	Value     []byte // nil: a tombstone
	Headers   []Header
}

// Size is roughly what the record takes in memory and on the wire, in bytes.
func (r *Record) Size() int { return size(r.Key, r.Value, r.Headers) }

// Output is a record to produce.
type Output struct {
	Ticket

	Partition int32
	Time      time.Time // zero: the time at which it is enqueued
	Key       []byte    // nil: no key
	Value     []byte    // nil: a tombstone
	Headers   []Header
}

// Ticket is what a producer keeps of an output and hands back with its fate:
// the ledger that waits for it and the place in that ledger. Keep a pointer in
// Owner: it costs no allocation then.
type Ticket struct {
	Owner any
	Entry int64
}

// Size is an upper bound of what the output takes in a record batch before
// compression, in bytes.
func (o *Output) Size() int { return size(o.Key, o.Value, o.Headers) }

// BatchSize is what a batch with this output alone takes before compression,
// in bytes.
func (o *Output) BatchSize() int {
	const attributesAndDeltas = 3 // one byte each: the first record has no deltas
	n := attributesAndDeltas + bytesSize(o.Key) + bytesSize(o.Value) + varintSize(len(o.Headers))
	for i := range o.Headers {
		n += bytesSize(o.Headers[i].Key) + bytesSize(o.Headers[i].Value)
	}
	return BatchOverhead + varintSize(n) + n
}

// BatchOverhead is the size of a record batch without its records, in bytes.
const BatchOverhead = 61

// bytesSize is the size of b behind its length.
func bytesSize(b []byte) int { return varintSize(len(b)) + len(b) }

// varintSize is the size of a length in Kafka's zigzag encoding.
func varintSize(n int) int { return (bits.Len64(uint64(n)<<1|1) + 6) / 7 }

// Framing of a record and of a header in a batch at their largest: length,
// attributes, deltas and counts as varints.
const (
	recordOverhead = 36
	headerOverhead = 10
)

func size(key, value []byte, headers []Header) int {
	n := recordOverhead + len(key) + len(value)
	for i := range headers {
		n += headerOverhead + len(headers[i].Key) + len(headers[i].Value)
	}
	return n
}
