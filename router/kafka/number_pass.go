package kafka

import "fmt"

// pass puts what is settled in an outbox straight into the open transaction, without
// a copy, where it is what comes next of its claim. It reports whether it did: not
// while the transaction ends, where it has enough, and where a message before is not
// done.
func (n *number) pass(o *Outbox) (passed bool, err error) {
	if !n.txn.TryLock() {
		return false, nil
	}
	defer n.txn.Unlock()
	if !n.open || n.isFull() {
		return false, nil
	}
	next, ok := o.claim.release.pass(o.done)
	if !ok {
		return false, nil
	}
	t := n.taken[o.claim]
	t.next = next
	n.take(o.claim, t, int64(len(o.done)), o.bytes)
	o.done, o.bytes = o.done[:0], 0
	for _, t := range o.topics {
		if t.settled == 0 {
			continue
		}
		if err := n.producer.Enqueue(t.name, t.outs[:t.settled]); err != nil {
			return false, fmt.Errorf("send %d outputs to topic %s: %w", t.settled, t.name, err)
		}
		t.flushed()
	}
	if n.isFull() || n.hurried || o.claim.release.isReady() {
		n.wake()
	}
	return true, nil
}

// pass releases messages that were not settled before, if they are those that come
// next, in their order, and nothing is before them.
func (r *release) pass(done []settlement) (next int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return 0, false
	}
	for i := range done {
		seq := r.head + int64(i)
		if done[i].entry != seq {
			return 0, false
		}
		if s := r.at(seq); seq < r.end && (s.settled || s.given) {
			return 0, false
		}
	}
	r.head += int64(len(done))
	r.end = max(r.end, r.head)
	return r.head, true
}
