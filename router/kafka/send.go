package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// outgoing is what a claim sends beside the outputs of its entries.
type outgoing struct {
	mu     sync.Mutex
	topics map[string]client.Topic // that were looked up

	// Both locks guard over, which is set with both held: nothing is enqueued
	// and nobody is told after it. They are apart so that who is told may send.
	enqueue sync.RWMutex
	tell    sync.Mutex
	over    bool
}

// end has nothing be sent and nobody be told from now on. The partition may go
// to another member after it.
func (g *outgoing) end() {
	g.enqueue.Lock()
	defer g.enqueue.Unlock()
	g.tell.Lock()
	defer g.tell.Unlock()
	g.over = true
}

// Send hands outputs that belong to no entry to the producer and returns
// without waiting for the broker. When all of them are stored, stored is called
// once, with the offset of each; it may be nil. The calls of one claim come one
// after the other, from a goroutine of the producer: stored must be quick, and
// must take no lock that is held over a call of Send. It is never called when
// the claim ends first. What outs point to may change when the call returns, but in a Subscriber with transactions only when stored is called. To
// each partition the order is kept, together with what the same goroutine
// flushes from an [Outbox].
//
// The bytes of what is not stored yet count for [Claim.Throttle] and as in
// flight. The drain does not wait for them: that is what [Claim.Work] is for.
//
// In a Subscriber with transactions all of one call is in one transaction, and
// stored is called when that is committed. It ends sooner than others: somebody
// waits for it.
//
// A *TooLargeError says that a topic would refuse one of outs; then none of
// them was sent, and the claim goes on. Any other error means that the claim is
// over.
func (k *Claim) Send(outs []Output, stored func(offsets []int64)) error {
	return k.send(outs, &receipt{claim: k, stored: stored})
}

// Place is Send for outputs that others are to follow which tell of their offsets:
// placed is called when they are in the log. In a Subscriber with transactions that is
// before they are committed, and the transaction stays open for the others: it can
// still be aborted, and the claim with it.
func (k *Claim) Place(outs []Output, placed func(offsets []int64)) error {
	return k.send(outs, &receipt{claim: k, stored: placed, early: true})
}

func (k *Claim) send(outs []Output, r *receipt) error {
	if len(outs) == 0 {
		return nil
	}
	r.left, r.offsets = len(outs), make([]int64, len(outs))
	sorted, err := byTopic(outs, r, func(topic string) (client.Topic, error) { return k.out.look(k, topic) })
	if _, large := errors.AsType[*TooLargeError](err); large {
		return err
	}
	if err == nil {
		err = k.enqueue(sorted, r)
	}
	if err != nil {
		k.fail(err)
	}
	return err
}

// look asks the producer about a topic, once a claim.
func (g *outgoing) look(k *Claim, topic string) (client.Topic, error) {
	g.mu.Lock()
	info, ok := g.topics[topic]
	g.mu.Unlock()
	if ok {
		return info, nil
	}
	info, err := k.producer().Prepare(k.ctx, topic)
	if err != nil {
		return client.Topic{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.topics == nil {
		g.topics = map[string]client.Topic{}
	}
	g.topics[topic] = info
	return info, nil
}

func (k *Claim) enqueue(sorted []*topicOutputs, r *receipt) error {
	for _, t := range sorted {
		for i := range t.outs {
			r.bytes += int64(t.outs[i].Size())
		}
	}
	k.out.enqueue.RLock()
	defer k.out.enqueue.RUnlock()
	if k.out.over {
		return fmt.Errorf("send to topic %s: %w", sorted[0].name, context.Cause(k.ctx))
	}
	k.ledger.lend(r.bytes) // first: a confirmation may come sooner than Enqueue returns
	if k.number != nil {
		k.number.send(&send{receipt: r, topics: sorted})
		return nil
	}
	for _, t := range sorted {
		if err := k.sess.producer.Enqueue(t.name, t.outs); err != nil {
			return fmt.Errorf("send %d outputs to topic %s: %w", len(t.outs), t.name, err)
		}
	}
	return nil
}

// receipt is one call of Claim.Send, waiting for the offsets of its outputs.
type receipt struct {
	claim  *Claim
	stored func(offsets []int64)
	early  bool // it is told when all is in the log, and not when it is committed
	bytes  int64

	mu      sync.Mutex
	left    int
	offsets []int64
}

// errNoOffset means that the broker had an output already and did not say where.
var errNoOffset = errors.New("an output is stored at an offset that the broker does not tell")

// confirm takes down that outputs are stored, the first of them at offset base.
func (r *receipt) confirm(base int64, outs []client.Ticket) {
	if base < 0 {
		go r.claim.fail(errNoOffset) // beside the producer, which it fences
		return
	}
	r.mu.Lock()
	for i := range outs {
		r.offsets[outs[i].Entry] = base + int64(i)
	}
	r.left -= len(outs)
	done := r.left == 0
	r.mu.Unlock()
	if done && (r.early || r.claim.number == nil) { // else it is told when the transaction has ended
		r.tell()
	}
}

// tell gives the bytes back and says that all is stored.
func (r *receipt) tell() {
	k := r.claim
	k.ledger.lend(-r.bytes)
	k.out.tell.Lock()
	defer k.out.tell.Unlock()
	if r.stored != nil && !k.out.over && k.ctx.Err() == nil {
		r.stored(r.offsets)
	}
}
