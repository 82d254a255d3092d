package saramaclient

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// read takes the records below the end out of an answer and moves next behind
// what it had, markers of transactions included. The records of an answer lie in
// one slab and their headers in another: users may keep what they are handed, so
// neither is used again.
func (s *scan) read(block *sarama.FetchResponseBlock) ([]client.Record, error) {
	aborted := abortions(block)
	seen := make([]*sarama.RecordBatch, 0, len(block.RecordsSet))
	next, records, headers := s.next, 0, 0
	for _, set := range block.RecordsSet {
		b := set.RecordBatch
		if b == nil {
			return nil, errors.New("the log has a message format older than that of Kafka 0.11")
		}
		if b.PartialTrailingRecord {
			break
		}
		next = max(next, b.LastOffset()+1)
		if aborted.hide(b) {
			continue
		}
		seen = append(seen, b)
		records += len(b.Records)
		for _, r := range b.Records {
			headers += len(r.Headers)
		}
	}
	into := slabs{records: make([]client.Record, 0, records), headers: make([]client.Header, 0, headers)}
	for _, b := range seen {
		s.take(&into, b)
	}
	s.next = max(s.next, next)
	return into.records, nil
}

// slabs is the memory that the records of an answer lie in.
type slabs struct {
	records []client.Record
	headers []client.Header
}

func (s *scan) take(into *slabs, b *sarama.RecordBatch) {
	for _, r := range b.Records {
		offset := b.FirstOffset + r.OffsetDelta
		if offset < s.next || offset >= s.end {
			continue
		}
		at := b.FirstTimestamp.Add(r.TimestampDelta)
		if b.LogAppendTime {
			at = b.MaxTimestamp
		}
		first := len(into.headers)
		for _, h := range r.Headers {
			into.headers = append(into.headers, client.Header(*h))
		}
		into.records = append(into.records, client.Record{
			Topic: s.topic, Partition: s.partition, Offset: offset, Time: at,
			Key: r.Key, Value: r.Value, Headers: into.headers[first:len(into.headers):len(into.headers)],
		})
	}
	s.next = max(s.next, b.LastOffset()+1)
}

// aborted knows which transactions of an answer were aborted: those to come,
// by their first offset, and the producers of those that are open at the batch
// that is looked at.
type aborted struct {
	later []*sarama.AbortedTransaction
	open  map[int64]bool
}

func abortions(block *sarama.FetchResponseBlock) *aborted {
	later := slices.Clone(block.AbortedTransactions)
	slices.SortFunc(later, func(a, b *sarama.AbortedTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &aborted{later: later, open: map[int64]bool{}}
}

// hide reports whether a batch, the next one in the order of offsets, is a
// marker or belongs to an aborted transaction.
func (a *aborted) hide(b *sarama.RecordBatch) bool {
	for len(a.later) > 0 && a.later[0].FirstOffset <= b.LastOffset() {
		a.open[a.later[0].ProducerID] = true
		a.later = a.later[1:]
	}
	if b.Control {
		if isAbort(b) {
			delete(a.open, b.ProducerID)
		}
		return true
	}
	return b.IsTransactional && a.open[b.ProducerID]
}

// isAbort reads the key of a control record: its version, then its type.
func isAbort(b *sarama.RecordBatch) bool {
	const abort = 0
	return len(b.Records) > 0 && len(b.Records[0].Key) >= 4 && binary.BigEndian.Uint16(b.Records[0].Key[2:]) == abort
}
