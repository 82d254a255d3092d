package saramaclient

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// Where things are in a record batch of format 2, and what its attributes say.
// See https://kafka.apache.org/documentation/#recordbatch.
const (
	lengthAt    = 8
	magicAt     = 16
	checksumAt  = 17
	attributeAt = 21
	recordsAt   = client.BatchOverhead
	beforeBatch = 12 // what the length does not count

	codecMask     = 7
	logAppendTime = 1 << 3
	transactional = 1 << 4
	control       = 1 << 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch is a record batch as it is in the log.
type batch struct {
	first, last int64 // offset
	attributes  int16
	begun       time.Time // what the records' times are counted from
	latest      time.Time
	producer    int64
	count       int
	records     []byte // decompressed once somebody wants to see them
}

func (b *batch) has(attribute int16) bool { return b.attributes&attribute != 0 }

// nextBatch takes the first batch off the log. It returns nil where that is cut
// off.
func nextBatch(log []byte) (b *batch, rest []byte, err error) {
	if len(log) <= magicAt {
		return nil, nil, nil
	}
	switch magic := int8(log[magicAt]); {
	case magic < 0 || magic > 2:
		return nil, nil, fmt.Errorf("a batch has the format %d: %w", magic, errMalformed)
	case magic < 2:
		return nil, nil, errors.New("the log has a message format older than that of Kafka 0.11")
	}
	size := beforeBatch + int(int32(binary.BigEndian.Uint32(log[lengthAt:])))
	switch {
	case size < recordsAt:
		return nil, nil, fmt.Errorf("a batch has %d bytes: %w", size, errMalformed)
	case size > len(log):
		return nil, nil, nil
	}
	b, err = parseBatch(log[:size:size])
	return b, log[size:], err
}

func parseBatch(raw []byte) (*batch, error) {
	first := int64(binary.BigEndian.Uint64(raw))
	want, got := binary.BigEndian.Uint32(raw[checksumAt:]), crc32.Checksum(raw[attributeAt:], castagnoli)
	if got != want {
		return nil, fmt.Errorf("the batch at offset %d has the checksum %#x instead of %#x: %w", first, got, want, errMalformed)
	}
	w := wire{rest: raw[attributeAt:]}
	b := &batch{first: first, attributes: w.int16()}
	delta := int64(w.int32())
	b.begun, b.latest = timeOf(w.int64()), timeOf(w.int64())
	b.producer = w.int64()
	w.take(2 + 4) // epoch and sequence
	b.count, b.records = int(w.int32()), w.rest
	if first < 0 || delta < 0 || first > math.MaxInt64-delta-1 || b.count < 0 {
		return nil, fmt.Errorf("the batch at offset %d: %w", first, errMalformed)
	}
	b.last = first + delta
	return b, nil
}

// timeOf is the time of a timestamp: zero, if there is none.
func timeOf(ms int64) time.Time {
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// decompress gets at the records, of which there must be room for so many.
func (b *batch) decompress() (err error) {
	const smallest = 7 // bytes: length, attributes, two deltas, no key, no value, no headers
	b.records, err = unpack.do(sarama.CompressionCodec(b.attributes&codecMask), b.records)
	if err == nil && b.count > len(b.records)/smallest {
		err = fmt.Errorf("there is no room for %d records: %w", b.count, errMalformed)
	}
	if err != nil {
		return fmt.Errorf("the batch at offset %d: %w", b.first, err)
	}
	return nil
}

// unpack is what all scans decompress with: it has no state but idle memory.
var unpack = newDecompressor(maxBatch)

// maxRead is how many bytes an answer's batches may have, decompressed, before the
// rest of it is left to the next answer.
const maxRead = 64 << 20

// read takes the records below the end out of an answer and moves next behind
// what it had, markers of transactions included. The records of an answer lie in
// one slab and their headers in another: users may keep what they are handed, so
// neither is used again. A cut answer had not even one whole batch.
func (s *scan) read(k *block) (found []client.Record, cut bool, err error) {
	hidden := abortions(k.aborted)
	next, count, bytes := s.next, 0, 0
	var seen []*batch
	for log := k.batches; len(log) > 0 && bytes < maxRead; {
		b, rest, err := nextBatch(log)
		if err != nil {
			return nil, false, err
		}
		if b == nil {
			cut = len(log) == len(k.batches)
			break
		}
		log = rest
		next = max(next, b.last+1)
		hide, err := hidden.hide(b)
		if err != nil {
			return nil, false, err
		}
		if hide || b.last < s.next || b.first >= s.end {
			continue
		}
		if err := b.decompress(); err != nil {
			return nil, false, err
		}
		seen = append(seen, b)
		count += b.count
		bytes += len(b.records)
	}
	into := slabs{records: make([]client.Record, 0, min(count, maxSlab))}
	for _, b := range seen {
		if err := s.take(&into, b); err != nil {
			return nil, false, fmt.Errorf("the batch at offset %d: %w", b.first, err)
		}
	}
	s.next = max(s.next, min(next, s.end)) // what is behind the end was left out, and is still to be read
	return into.records, cut, nil
}

// aborted knows which transactions of an answer were aborted: those to come,
// by their first offset, and the producers of those that are open at the batch
// that is looked at.
type aborted struct {
	later []abortion
	open  map[int64]bool
}

func abortions(all []abortion) *aborted {
	slices.SortFunc(all, func(a, b abortion) int { return cmp.Compare(a.first, b.first) })
	return &aborted{later: all, open: map[int64]bool{}}
}

// hide reports whether a batch, the next one in the order of offsets, is a
// marker or belongs to an aborted transaction.
func (a *aborted) hide(b *batch) (bool, error) {
	for len(a.later) > 0 && a.later[0].first <= b.last {
		a.open[a.later[0].producer] = true
		a.later = a.later[1:]
	}
	if b.has(control) {
		abort, err := isAbort(b)
		if abort {
			delete(a.open, b.producer)
		}
		return true, err
	}
	return b.has(transactional) && a.open[b.producer], nil
}

// isAbort reads the key of a control record: its version, then its type.
func isAbort(b *batch) (bool, error) {
	const abort = 0
	if b.count == 0 { // compaction removed it
		return false, nil
	}
	if err := b.decompress(); err != nil {
		return false, err
	}
	var r client.Record
	w := wire{rest: b.records}
	body := wire{rest: w.bytes()}
	body.record(&r, b)
	return len(r.Key) >= 4 && binary.BigEndian.Uint16(r.Key[2:]) == abort, nil
}
