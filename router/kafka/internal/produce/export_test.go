package produce

import (
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// BreakGoOn makes the producer send the next batch after one has failed.
func (p *Producer) BreakGoOn() { p.broken.goOn = true }

// BreakTellFirst makes the producer tell the fates before it fences.
func (p *Producer) BreakTellFirst() { p.broken.tellFirst = true }

// StartSequencesAt sets the next sequence number of every prepared partition.
// Nothing may have been enqueued.
func (p *Producer) StartSequencesAt(sequence int32) {
	for _, t := range p.topics {
		for _, w := range t.partitions {
			w.sequence = sequence
		}
	}
}

// Senders returns how many brokers have a sender.
func (p *Producer) Senders() int {
	p.senders.mu.Lock()
	defer p.senders.mu.Unlock()
	return len(p.senders.byAddr)
}

// Cut returns how many outputs go into the next batch, and its upper bound.
var Cut = cut

// Codec encodes batches.
type Codec struct{ c *codec }

// NewCodec makes a codec.
func NewCodec(id sarama.CompressionCodec, level int) (Codec, error) {
	c, err := newCodec(id, level)
	return Codec{c}, err
}

// Stamp is what a batch has beside its records.
type Stamp struct {
	ID            int64
	Epoch         int16
	Sequence      int32
	Transactional bool
	Now           time.Time
}

// Encode makes a batch in the memory of dst.
func (c Codec) Encode(dst []byte, outs []client.Output, s Stamp) ([]byte, error) {
	return c.c.encode(dst, outs, stamp{producerID{s.ID, s.Epoch}, s.Sequence, s.Transactional, s.Now})
}

// Answer is what a response says of a partition, with its texts.
type Answer struct {
	Topic     string
	Partition int32
	Code      sarama.KError
	Offset    int64
	Message   string
	Culprits  map[int]string
}

// DecodeAnswers reads the body of a produce response.
func DecodeAnswers(body []byte) (all []Answer, throttle time.Duration, err error) {
	decoded, throttle, err := decodeAnswers(nil, body)
	for _, p := range decoded {
		a := Answer{string(p.topic), p.partition, p.code, p.offset, p.message, map[int]string{}}
		for _, c := range p.culprits {
			a.Culprits[c.index] = c.message
		}
		all = append(all, a)
	}
	return all, throttle, err
}

// Placed is a batch with where it belongs.
type Placed struct {
	Topic     string
	Partition int32
	Batch     []byte
}

// Frame makes a produce request of batches.
func Frame(clientID, transactionalID string, timeout, correlation int32, batches []Placed) []byte {
	f := frame{clientID: clientID, transactionalID: transactionalID, timeout: timeout}
	var flights []flight
	for _, b := range batches {
		flights = append(flights, flight{topic: b.Topic, partition: b.Partition, batch: b.Batch})
	}
	return slices.Concat(*f.fill(correlation, flights)...)
}

// NextSequence is the sequence number after n more outputs.
var NextSequence = nextSequence
