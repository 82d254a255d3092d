package brokertest

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Header is a header of a record. The order and the repeats of headers count.
type Header struct {
	Key   string
	Value []byte
}

// Record is a record as a broker stores it. A nil key and a nil value are
// null; empty ones are empty.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
	Key       []byte
	Value     []byte
	Headers   []Header
}

func fromClient(r *kgo.Record) Record {
	record := Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
		Key: r.Key, Value: r.Value,
	}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, Header(h))
	}
	return record
}

func (r Record) toClient(topic string, partition int32) *kgo.Record {
	record := &kgo.Record{
		Topic: topic, Partition: partition, Timestamp: r.Timestamp,
		Key: r.Key, Value: r.Value,
	}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader(h))
	}
	return record
}
