package produce

import (
	"math"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// BreakGoOn makes the producer send the next batch after one has failed.
func (p *Producer) BreakGoOn() { p.broken.goOn = true }

// BreakTellFirst makes the producer tell the fates before it fences.
func (p *Producer) BreakTellFirst() { p.broken.tellFirst = true }

// Age lets what is known of topics grow older.
func (p *Producer) Age(by time.Duration) {
	ts := p.cfg.Topics
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, d := range ts.known {
		d.asked = d.asked.Add(-by)
	}
}

// StartSequencesAt sets the next sequence number of every prepared partition.
// Nothing may have been enqueued.
func (p *Producer) StartSequencesAt(sequence int32) {
	for _, t := range p.topics {
		for _, w := range t.partitions {
			w.counted, w.sequence = p.id, sequence
		}
	}
}

// Senders returns how many brokers have a sender.
func (p *Producer) Senders() int {
	p.senders.mu.Lock()
	defer p.senders.mu.Unlock()
	return len(p.senders.byAddr)
}

// Queue is the queue of a partition that nobody works at.
type Queue struct{ w *partition }

// NewQueue makes a queue whose batches have a limit.
func NewQueue(limit int) Queue {
	t := &topic{name: "queue"}
	t.maxBytes.Store(math.MaxInt32)
	t.partitions = []*partition{newPartition(&Producer{cfg: Config{BatchBytes: limit}}, t, 0)}
	return Queue{t.partitions[0]}
}

// Add enqueues outputs.
func (q Queue) Add(outs []client.Output, now time.Time) error {
	s := new(scatter)
	if err := s.sort(q.w.topic, outs); err != nil {
		return err
	}
	q.w.add(outs, s, now)
	return nil
}

// Queued is the size of the queue in bytes.
func (q Queue) Queued() int { return q.w.queued() }

// Take takes the next batch.
func (q Queue) Take() Batch { return Batch{q.w.take()} }

// Finish makes of a batch what is sent.
func (q Queue) Finish(b Batch, c Codec, s Stamp) ([]byte, error) {
	err := c.c.finish(b.b, &q.w.p.memory, s.stamp())
	return b.b.bytes, err
}

// GiveBack says that nobody reads a batch any more.
func (q Queue) GiveBack(b Batch) { q.w.p.memory.giveBack(b.b) }

// Batch is one that takes outputs, or is sent.
type Batch struct{ b *batch }

// NewBatch makes an empty one.
func NewBatch() Batch { return Batch{new(batch)} }

// Outputs are the tickets of its outputs.
func (b Batch) Outputs() []client.Ticket { return b.b.tickets }

// Size is its upper bound.
func (b Batch) Size() int { return b.b.size }

// Memory is how many bytes it holds.
func (b Batch) Memory() int { return cap(b.b.bytes) }

// Codec encodes batches.
type Codec struct {
	c      *codec
	memory *memory
}

// NewCodec makes a codec.
func NewCodec(id sarama.CompressionCodec, level int) (Codec, error) {
	c, err := newCodec(id, level)
	return Codec{c, new(memory)}, err
}

// Stamp is what a batch has beside its records.
type Stamp struct {
	ID            int64
	Epoch         int16
	Sequence      int32
	Transactional bool
}

func (s Stamp) stamp() stamp { return stamp{producerID{s.ID, s.Epoch}, s.Sequence, s.Transactional} }

// Encode makes of outputs what is sent, in the memory of a batch.
func (c Codec) Encode(b Batch, outs []client.Output, now time.Time) ([]byte, error) {
	b.b.reset()
	for i := range outs {
		b.b.add(&outs[i], outs[i].Size(), now)
	}
	err := c.c.finish(b.b, c.memory, stamp{})
	return b.b.bytes, err
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

// AskOpened asks a broker that may only just be being connected.
func AskOpened(ask func(*sarama.Broker) (int, error)) (int, error) { return askOpened(nil, ask) }
