package produce

import (
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

// Batch is a batch builder.
type Batch struct{ b batch }

// Cut returns how many outputs go into the next batch.
func (b *Batch) Cut(outs []client.Output, limit int) int { return b.b.cut(outs, limit) }

// Build makes a batch.
func (b *Batch) Build(outs []client.Output, sequence int32, now time.Time) *sarama.RecordBatch {
	return b.b.build(outs, stamp{level: sarama.CompressionLevelDefault, sequence: sequence, now: now})
}

// Bytes is the upper bound of the last batch cut.
func (b *Batch) Bytes() int { return b.b.bytes }

// NextSequence is the sequence number after n more outputs.
var NextSequence = nextSequence
