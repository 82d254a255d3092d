package produce

import (
	"math"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// batch builds the record batches of one partition in slabs that each reuses:
// there is only one at a time, and nobody reads it after its fate is known.
// Sarama encodes it once and keeps the bytes in it, so that a retry sends
// exactly the same.
type batch struct {
	wire    sarama.RecordBatch
	records []sarama.Record
	refs    []*sarama.Record // at i: &records[i]
	headers []*sarama.RecordHeader
	bytes   int // upper bound before compression
}

// cut returns how many of the outputs go into the next batch: those that are
// surely within the limit together, but at least one. It notes their size.
func (b *batch) cut(outs []client.Output, limit int) int {
	b.bytes = client.BatchOverhead
	for i := range outs {
		size := outs[i].Size()
		if i > 0 && (b.bytes+size > limit || i == math.MaxInt32) {
			return i
		}
		b.bytes += size
	}
	return len(outs)
}

// stamp is what a batch has beside its records.
type stamp struct {
	codec         sarama.CompressionCodec
	level         int
	id            producerID
	sequence      int32
	transactional bool
	now           time.Time // for outputs without a time
}

// build makes the record batch of the outputs.
func (b *batch) build(outs []client.Output, s stamp) *sarama.RecordBatch {
	b.grow(outs)
	now := millis(s.now)
	first := timestamp(&outs[0], now)
	last := first
	headers := b.headers[:0]
	for i := range outs {
		out := &outs[i]
		t := timestamp(out, now)
		last = max(last, t)
		from := len(headers)
		for j := range out.Headers {
			headers = append(headers, header(&out.Headers[j]))
		}
		b.records[i] = sarama.Record{
			Headers:        headers[from:len(headers):len(headers)],
			TimestampDelta: time.Duration(t-first) * time.Millisecond,
			OffsetDelta:    int64(i),
			Key:            out.Key,
			Value:          out.Value,
		}
	}
	b.headers = headers
	b.wire = sarama.RecordBatch{
		Version:          2,
		Codec:            s.codec,
		CompressionLevel: s.level,
		LastOffsetDelta:  int32(len(outs) - 1),
		FirstTimestamp:   time.UnixMilli(first),
		MaxTimestamp:     time.UnixMilli(last),
		ProducerID:       s.id.id,
		ProducerEpoch:    s.id.epoch,
		FirstSequence:    s.sequence,
		IsTransactional:  s.transactional,
		Records:          b.refs[:len(outs)],
	}
	return &b.wire
}

// grow makes room in the slabs.
func (b *batch) grow(outs []client.Output) {
	if n := len(outs); cap(b.records) < n {
		size := max(n, 2*cap(b.records))
		b.records = make([]sarama.Record, size)
		b.refs = make([]*sarama.Record, size)
		for i := range b.records {
			b.refs[i] = &b.records[i]
		}
	}
	n := 0
	for i := range outs {
		n += len(outs[i].Headers)
	}
	if cap(b.headers) < n {
		b.headers = make([]*sarama.RecordHeader, 0, max(n, 2*cap(b.headers)))
	}
}

// shrink lets go of the outputs, and of slabs with more than keep records.
func (b *batch) shrink(keep int) {
	b.wire = sarama.RecordBatch{}
	if cap(b.records) > keep || cap(b.headers) > 8*keep {
		b.records, b.refs, b.headers = nil, nil, nil
	}
	clear(b.records)
	clear(b.headers[:cap(b.headers)])
}

// header converts without copying: both types are the same underneath. Only a
// missing key, which a broker refuses, becomes an empty one.
func header(h *client.Header) *sarama.RecordHeader {
	if h.Key == nil {
		return &sarama.RecordHeader{Key: []byte{}, Value: h.Value}
	}
	return (*sarama.RecordHeader)(h)
}

func timestamp(out *client.Output, now int64) int64 {
	if out.Time.IsZero() {
		return now
	}
	return millis(out.Time)
}

// millis is a time as Kafka has it. What sarama cannot encode, before 1970 and
// after 2262, becomes the nearest that it can: such a time comes from outside
// and must not stop the producer.
func millis(t time.Time) int64 {
	const latest = math.MaxInt64 / int64(time.Millisecond)
	return min(max(t.UnixMilli(), 0), latest)
}

// nextSequence counts n on from a sequence number: 0 follows 2^31-1.
func nextSequence(sequence int32, n int) int32 {
	return int32((int64(sequence) + int64(n)) & math.MaxInt32)
}
