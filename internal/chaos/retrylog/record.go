package retrylog

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/topics"
)

// Record is a record of a retry log.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      time.Time
	Producer  Producer // who stored it

	// Removed is how many records right before it were removed before they were read.
	Removed int64

	// The message: a PARK's.
	Key     []byte // nil: none
	Value   string
	Headers string // as topics.Headers has them, without the last one

	Event
}

// Producer is who stores records, as the broker knows it.
type Producer struct {
	ID    int64
	Epoch int16
}

// String is its id and its epoch, as in 40.1.
func (p Producer) String() string { return fmt.Sprintf("%d.%d", p.ID, p.Epoch) }

// MayFollow tells whether p can be what another producer has become: it may have taken a
// newer epoch, and never has an older one again.
func (p Producer) MayFollow(other Producer) bool { return p.ID == other.ID && p.Epoch >= other.Epoch }

// FromClient reads what a client has brought.
func FromClient(r *kgo.Record) (Record, error) {
	last := len(r.Headers) - 1
	if last < 0 || r.Headers[last].Key != HeaderName {
		return Record{}, fmt.Errorf("%s/%d@%d has no header %s at its end", r.Topic, r.Partition, r.Offset, HeaderName)
	}
	e, err := Decode(r.Headers[last].Value)
	if err != nil {
		return Record{}, fmt.Errorf("read %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	return Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp,
		Producer: Producer{ID: r.ProducerID, Epoch: r.ProducerEpoch},
		Key:      r.Key, Value: string(r.Value), Headers: topics.Headers(r.Headers[:last]), Event: e,
	}, nil
}
