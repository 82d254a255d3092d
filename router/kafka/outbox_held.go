package kafka

import "github.com/penstock/penstock/router/kafka/internal/client"

// hold hands what is settled to the claim's number, which sends it when all messages
// before are at their end. The outputs get memory of their own.
func (o *Outbox) hold() {
	var outs, headers, bytes int
	for _, t := range o.topics {
		outs += t.settled
		for i := range t.outs[:t.settled] {
			out := &t.outs[i]
			headers += len(out.Headers)
			bytes += len(out.Key) + len(out.Value)
			for j := range out.Headers {
				bytes += len(out.Headers[j].Key) + len(out.Headers[j].Value)
			}
		}
	}
	c := copies{outs: make([]heldOutput, 0, outs), headers: make([]Header, 0, headers), bytes: make([]byte, 0, bytes)}
	done := make([]settled, len(o.done))
	next := make([]int, len(o.topics))
	for i, d := range o.done {
		from := len(c.outs)
		for j, t := range o.topics {
			for next[j] < t.settled && t.outs[next[j]].Entry == d.entry {
				c.add(t.name, &t.outs[next[j]])
				next[j]++
			}
		}
		done[i] = settled{entry: d.entry, outs: c.outs[from:len(c.outs):len(c.outs)], bytes: d.bytes}
	}
	o.claim.hold(done, o.bytes)
	o.done, o.bytes = o.done[:0], 0
	for _, t := range o.topics {
		t.flushed()
	}
}

// copies are outputs in memory that nobody else writes to.
type copies struct {
	outs    []heldOutput
	headers []Header
	bytes   []byte
}

func (c *copies) add(topic string, out *client.Output) {
	held := heldOutput{topic: topic, out: *out}
	held.out.Ticket = client.Ticket{}
	held.out.Key, held.out.Value = c.copy(out.Key), c.copy(out.Value)
	from := len(c.headers)
	for i := range out.Headers {
		c.headers = append(c.headers, Header{Key: c.copy(out.Headers[i].Key), Value: c.copy(out.Headers[i].Value)})
	}
	held.out.Headers = c.headers[from:len(c.headers):len(c.headers)]
	c.outs = append(c.outs, held)
}

// copy keeps the difference between none and empty.
func (c *copies) copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	from := len(c.bytes)
	c.bytes = append(c.bytes, b...)
	return c.bytes[from:len(c.bytes):len(c.bytes)]
}

// hold takes what came of messages, in a Subscriber with transactions.
func (k *Claim) hold(done []settled, bytes int64) {
	k.ledger.keep(bytes)
	for _, e := range k.release.settle(done) {
		k.ledger.abandon(e)
	}
	k.number.wake()
}
