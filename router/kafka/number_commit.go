package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// enqueue puts what is released or sent into the transaction, and begins one for it.
// It reports whether there is more.
func (n *number) enqueue() (more bool, err error) {
	n.mu.Lock()
	claims, sends := n.claims, n.sends
	n.sends = nil
	n.mu.Unlock()
	for _, s := range sends {
		if err := n.begin(); err != nil {
			return false, err
		}
		n.held = s.receipt.early
		n.receipts = append(n.receipts, s.receipt)
		n.bytes += s.receipt.bytes
		for _, t := range s.topics {
			if err := n.producer.Enqueue(t.name, t.outs); err != nil {
				return false, fmt.Errorf("send %d outputs to topic %s: %w", len(t.outs), t.name, err)
			}
		}
	}
	for _, k := range claims {
		if n.isFull() {
			return true, nil
		}
		if err := n.release(k); err != nil {
			return false, err
		}
		more = more || k.release.isReady()
	}
	return more, nil
}

// maxMessages is how many messages a transaction has at most: never so many of what may
// be in flight that nothing is left to work on while it ends.
func (n *number) maxMessages() int64 {
	return int64(max(1, min(n.cfg.CommitMessages, n.sub.cfg.MaxInFlight/2)))
}

// isFull tells whether the transaction has as much as it may have.
func (n *number) isFull() bool {
	return n.messages >= n.maxMessages() || n.bytes >= maxTransactionBytes
}

// release puts what a claim has to release into the transaction.
func (n *number) release(k *Claim) error {
	outs, next, count, bytes, lost := k.release.take(n.outs[:0], n.maxMessages()-n.messages, maxTransactionBytes-n.bytes)
	n.outs = outs
	for _, e := range lost {
		k.ledger.abandon(e)
	}
	if head, slow := k.release.slowHead(int64(n.sub.cfg.MaxInFlight), n.sub.cfg.MaxInFlightBytes); slow && n.sub.cfg.OnCrowded != nil {
		n.sub.cfg.OnCrowded(k, Entry(head))
	}
	if count == 0 {
		return nil
	}
	if err := n.begin(); err != nil {
		return err
	}
	n.take(k, taken{next: next, bytes: n.taken[k].bytes + bytes}, count, bytes)
	return n.enqueueHeld()
}

// take says what the transaction has of a claim now, and how much of it is new. The
// first transaction with messages of a claim does not wait for more: its partition has
// stood still since it was taken over.
func (n *number) take(k *Claim, has taken, messages, bytes int64) {
	n.taken[k] = has
	n.messages += messages
	n.bytes += bytes
	if !k.released {
		k.released = true
		n.hurried = true
	}
}

// enqueueHeld hands the outputs to the producer, by topic.
func (n *number) enqueueHeld() error {
	for i := range n.outs {
		o := &n.outs[i]
		n.byTopic[o.topic] = append(n.byTopic[o.topic], o.out)
	}
	clear(n.outs)
	for topic, outs := range n.byTopic {
		if len(outs) == 0 {
			continue
		}
		if err := n.producer.Enqueue(topic, outs); err != nil {
			return fmt.Errorf("send %d outputs to topic %s: %w", len(outs), topic, err)
		}
		clear(outs)
		n.byTopic[topic] = outs[:0]
	}
	return nil
}

func (n *number) begin() error {
	if n.open {
		return nil
	}
	if err := n.producer.Begin(); err != nil {
		return err
	}
	n.open, n.hurried, n.held, n.begun = true, false, false, time.Now()
	return nil
}

// endIfDue commits where it is time for that, and tells who waits where nothing is
// open. It reports whether there may be more to do.
func (n *number) endIfDue(barred bool) (ended bool, err error) {
	n.mu.Lock()
	hurry, claims := n.hurry, n.claims
	n.hurry = false
	at := barred || len(n.waiting) > 0 // somebody waits for no transaction to be open
	n.mu.Unlock()
	if !n.open && hurry && !barred {
		for _, k := range claims {
			if !n.open && k.isDue() {
				if err := n.begin(); err != nil {
					return false, err
				}
			}
		}
	}
	if !n.open {
		n.tellWaiting()
		return false, nil
	}
	n.hurried = n.hurried || hurry
	n.due = n.pace.due(n.begun, n.interval(), n.hurried)
	if !at && !n.isFull() && time.Now().Before(n.due) {
		return false, nil
	}
	begun := time.Now()
	if err := n.commit(claims); err != nil {
		return false, fmt.Errorf("commit a transaction: %w", err)
	}
	n.pace.ending(begun)
	n.tellWaiting()
	return true, nil
}

// longestHeld is for how many intervals a transaction waits for what is to follow.
const longestHeld = 10

// interval is how long the transaction is kept open.
func (n *number) interval() time.Duration {
	if n.held {
		return min(longestHeld*n.cfg.CommitInterval, n.cfg.Timeout/2)
	}
	return n.cfg.CommitInterval
}

// tellWaiting tells who waits that no transaction is open.
func (n *number) tellWaiting() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.waiting {
		close(w)
	}
	n.waiting = nil
}

// commit ends the transaction with the offsets of all claims, also of those that it
// has nothing of: one without any offset would not be refused to who has lost them.
func (n *number) commit(claims []*Claim) error {
	ctx, cancel := context.WithTimeout(context.Background(), min(commitTimeout, n.cfg.Timeout))
	defer cancel()
	var all []positioned
	var offsets []client.Offset
	for _, k := range claims {
		p := positioned{claim: k}
		var known bool
		if p.offset, p.version, known = k.position(n.taken); known {
			all, offsets = append(all, p), append(offsets, p.offset)
		}
	}
	if len(all) == 0 {
		return errNoClaim
	}
	if err := n.breakRules(ctx); err != nil {
		return err
	}
	if err := n.addOffsets(ctx, all[0].claim, offsets); err != nil {
		return err
	}
	if err := n.producer.End(ctx, true); err != nil {
		return err
	}
	n.open, n.messages, n.bytes = false, 0, 0
	for _, p := range all {
		p.claim.sess.commitMu.Lock()
		p.claim.moved(p.offset.Offset, p.version)
		p.claim.sess.commitMu.Unlock()
	}
	for k, t := range n.taken {
		k.ledger.keep(-t.bytes)
		k.ledger.closeTo(t.next)
	}
	clear(n.taken)
	for _, r := range n.receipts {
		if !r.early {
			r.tell()
		}
	}
	clear(n.receipts)
	n.receipts = n.receipts[:0]
	return nil
}

// errNoClaim cannot come about: what a claim has sent ends before the claim leaves.
var errNoClaim = errors.New("the transaction has no claim to commit")

// broken is how long it takes to commit where a rule of that is broken on purpose:
// long enough that faults meet it.
const broken = 300 * time.Millisecond

// breakRules breaks rules on purpose: the outputs are committed by themselves, or a
// while after somebody else may have the number.
func (n *number) breakRules(ctx context.Context) error {
	switch {
	case sabotage.Broken(sabotage.OneTransaction):
		if err := errors.Join(n.producer.End(ctx, true), n.producer.Begin()); err != nil {
			return err
		}
	case !sabotage.Broken(sabotage.Fences):
		return nil
	}
	select {
	case <-time.After(broken):
	case <-ctx.Done():
	}
	return nil
}
