package produce

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// cut returns how many of the outputs go into the next batch: those that are
// surely within the limit together, but at least one; and their size, an upper
// bound before compression.
func cut(outs []client.Output, limit int) (n, bytes int) {
	bytes = client.BatchOverhead
	for i := range outs {
		size := outs[i].Size()
		if i > 0 && (bytes+size > limit || i == math.MaxInt32) {
			return i, bytes
		}
		bytes += size
	}
	return len(outs), bytes
}

// stamp is what a batch has beside its records.
type stamp struct {
	id            producerID
	sequence      int32
	transactional bool
	now           time.Time // for outputs without a time
}

// encode makes the record batch of the outputs, as it is sent, in the memory of
// dst. The format is version 2 of Kafka's message format.
func (c *codec) encode(dst []byte, outs []client.Output, s stamp) ([]byte, error) {
	now := millis(s.now)
	first := timestamp(&outs[0], now)
	dst = append(dst[:0], make([]byte, client.BatchOverhead)...)
	dst, last, err := c.appendRecords(dst, outs, first, now)
	if err != nil {
		return dst, err
	}
	putHeader(dst, header{
		attributes: c.attributes(s.transactional), count: len(outs),
		first: first, last: last, id: s.id, sequence: s.sequence,
	})
	return dst, nil
}

// header is what stands before the records of a batch.
type header struct {
	attributes  uint16
	count       int
	first, last int64 // times, in milliseconds since 1970
	id          producerID
	sequence    int32
}

const (
	magic = 2 // of the message format

	lengthAt     = 8 // of what follows the length
	sumAt        = 17
	attributesAt = 21 // where the checksum's range begins

	isTransactional = 1 << 4 // attribute; the lowest three bits are the codec
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// putHeader fills in the first BatchOverhead bytes of a batch whose records
// are there. The base offset stays 0: the broker knows it.
func putHeader(b []byte, h header) {
	be := binary.BigEndian
	be.PutUint32(b[lengthAt:], uint32(len(b)-lengthAt-4))
	be.PutUint32(b[12:], math.MaxUint32) // no leader epoch
	b[16] = magic
	be.PutUint16(b[attributesAt:], h.attributes)
	be.PutUint32(b[23:], uint32(h.count-1)) // the last offset, from the base
	be.PutUint64(b[27:], uint64(h.first))
	be.PutUint64(b[35:], uint64(h.last))
	be.PutUint64(b[43:], uint64(h.id.id))
	be.PutUint16(b[51:], uint16(h.id.epoch))
	be.PutUint32(b[53:], uint32(h.sequence))
	be.PutUint32(b[57:], uint32(h.count))
	be.PutUint32(b[sumAt:], crc32.Checksum(b[attributesAt:], castagnoli))
}

func timestamp(out *client.Output, now int64) int64 {
	if out.Time.IsZero() {
		return now
	}
	return millis(out.Time)
}

// millis is a time as Kafka has it. What brokers and clients cannot agree on,
// before 1970 and after 2262, becomes the nearest time between: it comes from
// outside and must not stop the producer.
func millis(t time.Time) int64 {
	const latest = math.MaxInt64 / int64(time.Millisecond)
	return min(max(t.UnixMilli(), 0), latest)
}

// nextSequence counts n on from a sequence number: 0 follows 2^31-1.
func nextSequence(sequence int32, n int) int32 {
	return int32((int64(sequence) + int64(n)) & math.MaxInt32)
}
