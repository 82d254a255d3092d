package kafka

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// Output is a record to be produced.
type Output struct {
	Topic   string
	Key     []byte // nil: none, the record goes to any partition unless it is placed
	Value   []byte // nil: a tombstone
	Headers []Header
	Time    time.Time // zero: when it is handed to the producer

	// Placed sends it to Partition, whatever its key is.
	Placed    bool
	Partition int32
}

// TooLargeError says that a topic would refuse an output for its size. Size and
// Limit are in bytes, framing included.
type TooLargeError = client.TooLargeError

// Outbox gathers the outputs of a claim's messages and hands them to the
// producer many at a time. It is for one goroutine; a claim can have several,
// and what one outbox flushes keeps its order.
//
// For each message: Add its outputs, then Settle its entry; or Discard what
// was added and try again. Flush sends what is settled. What outputs point to
// must not change before the outbox is Empty again.
type Outbox struct {
	claim  *Claim
	topics []*outboxTopic
	done   []settlement
	cur    settlement
	bytes  int64
}

type outboxTopic struct {
	name    string
	info    client.Topic
	outs    []client.Output
	settled int   // outs below belong to settled messages
	spread  int32 // partition of outputs without a key, until the next flush
}

// NewOutbox returns an empty outbox.
func (k *Claim) NewOutbox() *Outbox { return &Outbox{claim: k} }

// Add puts in an output of the message that is being worked on. A
// *TooLargeError is the message's failure: the topic would refuse it for ever. An
// *UnwritableError says that the topic takes nothing of us.
func (o *Outbox) Add(entry Entry, out *Output) error {
	t, err := o.topic(out.Topic)
	if err != nil {
		return err
	}
	t.outs, err = out.appendRecord(t.outs, t.info, t.spread, client.Ticket{Owner: o.claim, Entry: int64(entry)})
	if err != nil {
		return err
	}
	o.cur.outputs++
	o.cur.bytes += int64(t.outs[len(t.outs)-1].Size())
	return nil
}

// Discard drops what was added since the last Settle.
func (o *Outbox) Discard() {
	for _, t := range o.topics {
		clear(t.outs[t.settled:])
		t.outs = t.outs[:t.settled]
	}
	o.cur = settlement{}
}

// Settle says that the message of an entry is done with: what was added since
// the last call are its outputs. Without any, the entry is done at the flush.
func (o *Outbox) Settle(entry Entry) {
	o.cur.entry = int64(entry)
	o.done = append(o.done, o.cur)
	o.bytes += o.cur.bytes
	o.cur = settlement{}
	for _, t := range o.topics {
		t.settled = len(t.outs)
	}
}

// Settled is how many messages, and how many bytes of outputs, wait for the
// next flush.
func (o *Outbox) Settled() (messages int, bytes int64) { return len(o.done), o.bytes }

// Empty reports whether no output waits for the next flush: then nobody needs
// what those before point to, and its memory may be used again.
func (o *Outbox) Empty() bool {
	for _, t := range o.topics {
		if len(t.outs) > 0 {
			return false
		}
	}
	return true
}

// Flush hands what is settled to the producer and returns without waiting for
// the broker. An error means that the claim is over. In a Subscriber with
// transactions it goes to the producer, in the order of the messages, when all
// messages before are settled too.
func (o *Outbox) Flush() error {
	if len(o.done) == 0 {
		return nil
	}
	if n := o.claim.number; n != nil {
		sent, err := n.pass(o)
		if err != nil {
			o.claim.fail(err)
			return err
		}
		if !sent {
			o.hold()
		}
		return nil
	}
	// Settled before they are enqueued: a confirmation may come sooner than
	// Enqueue returns.
	o.claim.ledger.settle(o.done)
	o.done, o.bytes = o.done[:0], 0
	for _, t := range o.topics {
		if t.settled == 0 {
			continue
		}
		if err := o.claim.sess.producer.Enqueue(t.name, t.outs[:t.settled]); err != nil {
			err = fmt.Errorf("send %d outputs to topic %s: %w", t.settled, t.name, err)
			o.claim.fail(err)
			return err
		}
		t.flushed()
	}
	return nil
}

// flushed forgets what was settled. The next outputs without a key go elsewhere.
func (t *outboxTopic) flushed() {
	n := copy(t.outs, t.outs[t.settled:])
	clear(t.outs[n:])
	t.outs, t.settled = t.outs[:n], 0
	t.spread = (t.spread + 1) % int32(t.info.Partitions)
}

func (o *Outbox) topic(name string) (*outboxTopic, error) {
	for _, t := range o.topics {
		if t.name == name {
			return t, nil
		}
	}
	info, err := o.claim.producer().Prepare(o.claim.ctx, name)
	if err != nil {
		return nil, lookedUp(name, err)
	}
	t := &outboxTopic{name: name, info: info, spread: o.claim.Partition() % int32(info.Partitions)}
	o.topics = append(o.topics, t)
	return t, nil
}
