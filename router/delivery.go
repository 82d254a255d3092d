package router

import (
	"fmt"
	"strings"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// deliveries turns the records of a batch into what filters are handed. It
// lives as long as the batch: filters may keep what they get, so nothing of it
// is used again.
type deliveries struct {
	slab []pipeline.Delivery
}

func newDeliveries(n int) *deliveries { return &deliveries{slab: make([]pipeline.Delivery, n)} }

// read fills delivery i from a record, with strings from text. An error is the
// record's: it can never be worked on. The delivery says as much as could be read
// then.
func (ds *deliveries) read(i int, s *stage, claim *kafka.Claim, r *kafka.Record, text *textSlab) (*pipeline.Delivery, error) {
	return ds.readOf(claim.TopicID(), i, s, r, text)
}

// readOf is read for a record of the topic with this id.
func (ds *deliveries) readOf(topicID [16]byte, i int, s *stage, r *kafka.Record, text *textSlab) (*pipeline.Delivery, error) {
	d := &ds.slab[i]
	d.Stage, d.Attempt = s.node.Name, 1
	d.Topic, d.Partition, d.Offset = r.Topic, r.Partition, r.Offset
	value, err := schemas.ReadEnvelope(&d.Envelope, r.Key, r.Value, r.Headers, text.adder())
	d.Value = value
	d.Identify(topicID, r.Partition, r.Offset)
	if err != nil {
		return d, fmt.Errorf("read the envelope: %w", err)
	}
	if limit := s.router.cfg.MaxMessageBytes; len(r.Value) > limit {
		return d, fmt.Errorf("the value has %d bytes, more than the limit of %d", len(r.Value), limit)
	}
	return d, nil
}

// textSlab makes the strings of many records in few allocations. It is for one
// goroutine.
type textSlab struct {
	b    strings.Builder
	size int                 // of the slab that b fills
	add  func([]byte) string // made once: a method value costs an allocation
}

// Each slab is twice as large as the one before, between these: there are as many
// as there are lanes, and some lanes have little to do.
const (
	minTextSlab = 512
	maxTextSlab = 8 << 10
)

// adder returns the function that makes a string of bytes.
func (t *textSlab) adder() func([]byte) string {
	if t.add == nil {
		t.add = t.append
	}
	return t.add
}

func (t *textSlab) append(b []byte) string {
	if t.b.Cap()-t.b.Len() < len(b) {
		t.b = strings.Builder{} // strings made so far keep the old one
		t.size = min(max(2*t.size, minTextSlab), maxTextSlab)
		t.b.Grow(max(t.size, len(b)))
	}
	start := t.b.Len()
	t.b.Write(b)
	return t.b.String()[start:]
}
