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
// what it had, markers of transactions included.
func (s *scan) read(block *sarama.FetchResponseBlock) ([]client.Record, error) {
	aborted := abortions(block)
	var found []*sarama.ConsumerMessage
	for _, set := range block.RecordsSet {
		b := set.RecordBatch
		switch {
		case b == nil:
			return nil, errors.New("the log has a message format older than that of Kafka 0.11")
		case b.PartialTrailingRecord:
			return records(found), nil
		}
		if !aborted.hide(b) {
			found = s.take(found, b)
		}
		s.next = max(s.next, b.LastOffset()+1)
	}
	return records(found), nil
}

func (s *scan) take(found []*sarama.ConsumerMessage, b *sarama.RecordBatch) []*sarama.ConsumerMessage {
	for _, r := range b.Records {
		offset := b.FirstOffset + r.OffsetDelta
		if offset < s.next || offset >= s.end {
			continue
		}
		at := b.FirstTimestamp.Add(r.TimestampDelta)
		if b.LogAppendTime {
			at = b.MaxTimestamp
		}
		found = append(found, &sarama.ConsumerMessage{
			Topic: s.topic, Partition: s.partition, Offset: offset, Timestamp: at,
			Key: r.Key, Value: r.Value, Headers: r.Headers,
		})
	}
	return found
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
