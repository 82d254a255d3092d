package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// deliver hands a batch to the subscriber's reader, whole or record by record,
// and waits until it is taken care of. When the claim ends first, what was not
// handed over is abandoned.
func (s *subscription) deliver(b *Batch) error {
	if s.cfg.Batches {
		return s.deliverBatch(b)
	}
	return s.deliverEach(b)
}

func (s *subscription) deliverBatch(b *Batch) error {
	m := b.message()
	select {
	case s.out <- m:
	case <-b.Claim.reading.Done():
		b.Abandon(0)
		return nil
	}
	select {
	case <-m.Acked():
		return nil
	case <-m.Nacked():
		return fmt.Errorf("%s: %w", m.UUID, errRefused)
	case <-b.Claim.ctx.Done():
		return nil
	}
}

func (s *subscription) deliverEach(b *Batch) error {
	out := b.Claim.NewOutbox()
	for i := range b.Records {
		r := &b.Records[i]
		done, err := s.deliverOne(b, r)
		if err != nil || !done {
			b.Abandon(i)
			return err
		}
		out.Settle(b.Entry(i))
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// deliverOne delivers a record until it is acknowledged, and says whether it
// was before the claim ended.
func (s *subscription) deliverOne(b *Batch, r *Record) (done bool, err error) {
	for {
		m, err := s.cfg.Marshaler.Unmarshal(r)
		if err != nil {
			return false, fmt.Errorf("unmarshal %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
		}
		if acked, ok := s.offer(b.Claim, m); !ok || acked {
			return acked, nil
		}
		select {
		case <-time.After(s.cfg.NackBackoff):
		case <-b.Claim.reading.Done():
			return false, nil
		}
	}
}

// offer delivers m once and says whether it was acknowledged or refused; ok is
// false when the claim ended before either. The message's context ends with
// the answer, as in every Watermill subscriber.
func (s *subscription) offer(k *Claim, m *message.Message) (acked, ok bool) {
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	m.SetContext(ctx)
	select {
	case s.out <- m:
	case <-k.reading.Done():
		return false, false
	}
	select {
	case <-m.Acked():
		return true, true
	case <-m.Nacked():
		return false, true
	case <-k.ctx.Done():
		return false, false
	}
}
