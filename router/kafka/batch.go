package kafka

import (
	"context"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Batch is what the buffer of a claim held when it was looked at: consecutive
// records of one partition, at least one. It travels through a Watermill
// router as one message, so that the router's own cost is paid once a batch.
// Of a claim one batch at a time is at the router.
//
// Acknowledging the message means that every record of the batch has been
// taken care of or handed over; it commits nothing. A record is done when its
// entry is settled through an [Outbox] and the outputs are stored. Refusing
// the message ends the claim: it is read again from the last offset done.
type Batch struct {
	// Claim is the partition that the records were read from.
	Claim *Claim
	// Records are the records, in the order of their offsets.
	Records []Record

	first int64
}

// Entry is the place of a message in the ledger of its claim.
type Entry int64

// Entry returns the entry of the record at index i.
func (b *Batch) Entry(i int) Entry { return Entry(b.first + int64(i)) }

// Part is the batch of the records from index from up to to, as if they had been
// read alone. Their entries are the same.
func (b *Batch) Part(from, to int) *Batch {
	return &Batch{Claim: b.Claim, Records: b.Records[from:to:to], first: b.first + int64(from)}
}

// Abandon gives up the records from index i on, because the claim ends: they
// are not settled, not committed, and read again by whoever has the partition
// next.
func (b *Batch) Abandon(i int) {
	for ; i < len(b.Records); i++ {
		b.Claim.Abandon(b.Entry(i))
	}
}

type batchKey struct{}

// FromMessage returns the batch that a message of a Subscriber with
// [SubscriberConfig.Batches] carries.
func FromMessage(m *message.Message) (*Batch, bool) {
	b, ok := m.Context().Value(batchKey{}).(*Batch)
	return b, ok
}

func (b *Batch) message() *message.Message {
	m := message.NewMessage(fmt.Sprintf("%s/%d@%d", b.Claim.Topic(), b.Claim.Partition(), b.Records[0].Offset), nil)
	m.SetContext(context.WithValue(b.Claim.ctx, batchKey{}, b))
	return m
}
