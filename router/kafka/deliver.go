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
	switch {
	case s.cfg.Batches:
		return s.deliverBatch(b)
	case s.cfg.MaxUnacked > 1:
		return s.deliverTogether(b)
	default:
		return s.deliverEach(b)
	}
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
	o, err := s.offer(b.Claim, r)
	if o == nil {
		return false, err
	}
	return s.awaitDone(b, r, o)
}

// deliverTogether delivers the records without waiting for the answers, as many
// at a time as may be unacknowledged. It returns when all are handed over. They
// are handed over in order, so that none that is acknowledged lies above one
// that was not delivered when the claim ends.
func (s *subscription) deliverTogether(b *Batch) error {
	k := b.Claim
	for i := range b.Records {
		select {
		case k.unacked <- struct{}{}:
		case <-k.reading.Done():
			b.Abandon(i)
			return nil
		}
		r := &b.Records[i]
		o, err := s.offer(k, r)
		if o == nil {
			b.Abandon(i)
			return err
		}
		k.offers.Go(func() {
			defer func() { <-k.unacked }()
			done, err := s.awaitDone(b, r, o)
			if err != nil {
				k.fail(err)
			}
			if !done {
				k.Abandon(b.Entry(i))
				return
			}
			k.ledger.settle([]settlement{{entry: int64(b.Entry(i))}})
		})
	}
	return nil
}

// offer is a message that was delivered and is not answered yet.
type offer struct {
	m      *message.Message
	cancel context.CancelFunc
}

// offer delivers a record once. There is none when the claim ended first, or
// when the record cannot be made a message.
func (s *subscription) offer(k *Claim, r *Record) (*offer, error) {
	if !k.MayBegin() {
		return nil, nil //nolint:nilnil // the claim has ended: neither a message nor an error
	}
	m, err := s.cfg.Marshaler.Unmarshal(r)
	if err != nil {
		return nil, fmt.Errorf("unmarshal %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	ctx, cancel := context.WithCancel(k.ctx)
	m.SetContext(ctx)
	select {
	case s.out <- m:
		return &offer{m: m, cancel: cancel}, nil
	case <-k.reading.Done():
		cancel()
		return nil, nil //nolint:nilnil // as above
	}
}

// awaitDone waits for the answer, and after a refusal delivers the record
// again. It is not done when the claim ended first.
func (s *subscription) awaitDone(b *Batch, r *Record, o *offer) (done bool, err error) {
	for o != nil {
		if acked, ok := o.await(b.Claim); !ok || acked {
			return acked, nil
		}
		select {
		case <-time.After(s.cfg.NackBackoff):
		case <-b.Claim.reading.Done():
			return false, nil
		}
		if o, err = s.offer(b.Claim, r); err != nil {
			return false, err
		}
	}
	return false, nil
}

// await says whether the message was acknowledged or refused; ok is false when
// the claim ended before either. The message's context ends with the answer, as
// in every Watermill subscriber.
func (o *offer) await(k *Claim) (acked, ok bool) {
	defer o.cancel()
	select {
	case <-o.m.Acked():
		return true, true
	case <-o.m.Nacked():
		return false, true
	case <-k.ctx.Done():
		return false, false
	}
}
