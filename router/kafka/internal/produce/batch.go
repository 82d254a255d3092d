package produce

import (
	"math"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// batch is a record batch, or one that still takes outputs. An output is
// encoded once, when it is added, as it is going to be sent; of the rest only
// the ticket is kept.
type batch struct {
	bytes       []byte          // records behind room for the header; once it is finished, what is sent
	tickets     []client.Ticket // of its outputs
	size        int             // an upper bound, before compression
	first, last int64           // times, of the first output and the latest, in milliseconds since 1970
	began       time.Time       // when the first output was added
}

// reset makes the batch an empty one.
func (b *batch) reset() {
	clear(b.tickets)
	*b = batch{bytes: b.bytes[:0], tickets: b.tickets[:0]}
}

// takes reports whether an output of a size is surely within the limit together
// with what is there. The first one always is taken.
func (b *batch) takes(size, limit int) bool {
	return len(b.tickets) == 0 || b.size+size <= limit && len(b.tickets) < math.MaxInt32
}

// add puts in an output of a size. now is for those without a time.
func (b *batch) add(out *client.Output, size int, now time.Time) {
	at := millis(now)
	if !out.Time.IsZero() {
		at = millis(out.Time)
	}
	if len(b.tickets) == 0 {
		b.began, b.first, b.last = now, at, at
		b.bytes = append(b.bytes[:0], make([]byte, client.BatchOverhead)...)
		b.size = client.BatchOverhead
	}
	b.last = max(b.last, at)
	b.bytes = appendRecord(b.bytes, out, at-b.first, len(b.tickets))
	b.tickets = append(b.tickets, out.Ticket)
	b.size += size
}

// stamp is what a batch has beside its records.
type stamp struct {
	id            producerID
	sequence      int32
	transactional bool
}

// finish makes of the records what is sent.
func (c *codec) finish(b *batch, m *memory, s stamp) error {
	if err := c.compress(b, m); err != nil {
		return err
	}
	attributes := uint16(c.id)
	if s.transactional {
		attributes |= isTransactional
	}
	b.putHeader(attributes, s)
	return nil
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
