package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// positioned is an offset that a transaction commits.
type positioned struct {
	claim   *Claim
	offset  client.Offset
	version int64
}

// position is what a transaction commits of a claim, of which it has what is taken.
// It is not known before it was looked up where the claim begins.
func (k *Claim) position(all map[*Claim]taken) (_ client.Offset, version int64, known bool) {
	k.pos.mu.Lock()
	defer k.pos.mu.Unlock()
	if !k.pos.known {
		return client.Offset{}, 0, false
	}
	o := client.Offset{Topic: k.Topic(), Partition: k.Partition(), Metadata: k.pos.current}
	t, some := all[k]
	if !some {
		t.next = -1
	}
	var read bool
	if o.Offset, read = k.ledger.offsetAt(t.next); !read {
		o.Offset = k.pos.start
	}
	return o, k.pos.version, true
}

// membership is the member at the generation that the claim belongs to.
func (k *Claim) membership() client.Membership {
	m := k.sess.s.Membership()
	m.Generation = k.c.Generation()
	if sabotage.Broken(sabotage.Fences) {
		m.Member, m.Generation = "", -1
	}
	return m
}

// addOffsets puts offsets into the transaction. While the member joins again they can be
// refused, because they say a generation that is over. The claim need not be: once the
// new one is known it is asked again, and refused for good where somebody else may have
// it.
func (n *number) addOffsets(ctx context.Context, k *Claim, offsets []client.Offset) error {
	for {
		m := k.membership()
		err := n.producer.AddOffsets(ctx, m, offsets)
		if !errors.Is(err, client.ErrStale) || !k.hasMovedSince(m) {
			return err
		}
		if e := k.sess.s.Pass(ctx); e != nil {
			return errors.Join(err, e)
		}
		select { // the generation is told a moment after the gate is open
		case <-time.After(rejoinPause):
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

// hasMovedSince tells whether the claim's membership is another one, or will be.
func (k *Claim) hasMovedSince(m client.Membership) bool {
	s := k.sess.s
	return s.Context().Err() == nil && (s.Rejoining() || k.membership() != m)
}
