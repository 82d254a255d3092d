package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// copier copies a topic into the pipe of a source, partition by partition in
// order. The offset of a record is committed when its copy is stored; so what is
// copied again after a crash has the id that it had.
type copier struct {
	*source

	mu       sync.Mutex
	outboxes map[*kafka.Claim]*kafka.Outbox
}

// copyTopic copies until ctx ends.
func (s *source) copyTopic(ctx context.Context) error {
	cfg := s.cfg.subscriber(s.node.Group, []string{s.node.CopyOf})
	cfg.OnJoin = func(map[string][]int32) { s.life.set(StateRunning) }
	cfg.OnError = func(err error) { s.restarts.Add(1); s.life.failed(err, time.Time{}) }
	cfg.Logger = s.log
	sub, err := kafka.NewSubscriber(cfg)
	if err != nil {
		return fmt.Errorf("copy topic %s: %w", s.node.CopyOf, err)
	}
	batches, err := sub.Subscribe(ctx, s.node.CopyOf)
	if err != nil {
		return errors.Join(fmt.Errorf("copy topic %s: %w", s.node.CopyOf, err), sub.Close())
	}
	c := &copier{source: s, outboxes: map[*kafka.Claim]*kafka.Outbox{}}
	for m := range batches {
		c.answer(m)
	}
	return sub.Close()
}

func (c *copier) answer(m *message.Message) {
	b, ok := kafka.FromMessage(m)
	if !ok {
		m.Nack()
		return
	}
	if err := c.batch(b); err != nil {
		if b.Claim.Context().Err() == nil {
			c.log.Error("records cannot be copied; the partition is read again", "topic", c.node.CopyOf, "partition", b.Claim.Partition(), "error", err)
		}
		m.Nack()
		return
	}
	m.Ack()
}

// batch hands the copies of a batch to the producer.
func (c *copier) batch(b *kafka.Batch) error {
	out := c.outbox(b.Claim)
	for i := range b.Records {
		if !b.Claim.MayBegin() {
			b.Abandon(i)
			break
		}
		rec, err := c.copied(b.Claim, &b.Records[i])
		if err == nil {
			err = out.Add(b.Entry(i), &rec)
		}
		if err != nil {
			out.Discard()
			return errors.Join(fmt.Errorf("copy %s/%d@%d: %w", c.node.CopyOf, b.Claim.Partition(), b.Records[i].Offset, err), out.Flush())
		}
		out.Settle(b.Entry(i))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return b.Claim.Throttle(b.Claim.Context())
}

// outbox is the claim's, as long as it lasts: a new one would have to ask the
// brokers about the pipe again.
func (c *copier) outbox(k *kafka.Claim) *kafka.Outbox {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.outboxes[k]
	if out == nil {
		out = k.NewOutbox()
		c.outboxes[k] = out
		context.AfterFunc(k.Context(), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.outboxes, k)
		})
	}
	return out
}

// copied is the record that goes into the pipe.
func (c *copier) copied(k *kafka.Claim, r *kafka.Record) (kafka.Output, error) {
	d := &pipeline.Delivery{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Attempt: 1}
	value, err := schemas.ReadEnvelope(&d.Envelope, r.Key, r.Value, r.Headers, nil)
	if d.Value = value; err != nil {
		d.Envelope, d.Value = stranger(r), r.Value
	}
	d.Identify(k.TopicID(), r.Partition, r.Offset)
	t, err := c.node.Copy(k.Context(), d)
	if err != nil {
		return kafka.Output{}, err
	}
	env := t.Envelope(c.name)
	if d.Job != d.ID { // it belongs to a job already
		env.Job, env.Parent = d.Job, d.Parent
	}
	env.TraceParent, env.TraceState = d.TraceParent, d.TraceState
	if span := c.sending(k.Context(), &t, &env); span != nil {
		span.End() // it is handed over: the producer tells of batches, not of records
	}
	return c.record(&t, &env), nil
}

// originalPrefix stands before the names of headers that mean something else to
// us than to who wrote them.
const originalPrefix = "original-"

// stranger is the envelope of a record whose headers have our names by chance: they
// go on under others.
func stranger(r *kafka.Record) schemas.Envelope {
	e := schemas.Envelope{Key: string(r.Key), HasKey: r.Key != nil}
	for _, h := range r.Headers {
		name := string(h.Key)
		if schemas.IsReserved(name) {
			name = originalPrefix + name
		}
		e.Headers = append(e.Headers, schemas.Header{Name: name, Value: h.Value})
	}
	return e
}
