package saramaclient

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// maxSlab is how much room is made before anything is read: a count is easily
// wrong, and a record takes more memory than bytes.
const maxSlab = 64 << 10

// slabs is the memory that the records of an answer lie in.
type slabs struct {
	records []client.Record
	headers []client.Header
}

// take appends the records of a batch that are in the scan's range. What they
// point to stays where the batch is.
func (s *scan) take(into *slabs, b *batch) error {
	w := wire{rest: b.records}
	for left := b.count; left > 0; left-- {
		one := wire{rest: w.bytes()}
		r := client.Record{Topic: s.topic, Partition: s.partition}
		headers := one.record(&r, b)
		if one.short || w.short || r.Offset < b.first || r.Offset > b.last {
			return fmt.Errorf("%d of %d records cannot be read: %w", left, b.count, errMalformed)
		}
		if r.Offset < s.next || r.Offset >= s.end {
			continue
		}
		if headers > 0 {
			if headers > int64(len(one.rest)/smallestHeader) {
				return fmt.Errorf("a record with %d headers: %w", headers, errMalformed)
			}
			r.Headers = into.room(int(headers), left, len(one.rest)+len(w.rest))
			for i := range r.Headers {
				r.Headers[i] = client.Header{Key: one.bytes(), Value: one.bytes()}
			}
			if one.short {
				return fmt.Errorf("a record with %d headers: %w", headers, errMalformed)
			}
		}
		into.records = append(into.records, r)
	}
	return nil
}

const smallestHeader = 2 // bytes: two lengths

// room takes n headers off the slab. A new one has as many as the batch needs, if
// all records that are left have so many, and no more than its bytes can hold.
func (s *slabs) room(n, records, bytes int) []client.Header {
	if n > len(s.headers) {
		s.headers = make([]client.Header, max(n, min(n*records, bytes/smallestHeader, maxSlab)))
	}
	h := s.headers[:n:n]
	s.headers = s.headers[n:]
	return h
}

// record reads a record behind its length, and returns how many headers follow.
func (w *wire) record(r *client.Record, b *batch) (headers int64) {
	w.take(1) // attributes: none yet
	r.Time = b.begun.Add(time.Duration(w.varint()) * time.Millisecond)
	if b.has(logAppendTime) {
		r.Time = b.latest
	}
	r.Offset = b.first + w.varint()
	r.Key, r.Value = w.bytes(), w.bytes()
	headers = w.varint()
	if headers < 0 {
		w.short = true
	}
	return headers
}
