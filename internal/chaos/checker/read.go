package checker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// poisonPartitions is how many partitions a poison topic has.
const poisonPartitions = 1

// CheckPipeline reads the topics of the pipeline and the producers' journal, and
// checks them.
func CheckPipeline(ctx context.Context, brokers []string, pipeline, journalPath string) (*Report, error) {
	acknowledged, err := journal.Read(journalPath)
	if err != nil {
		return nil, err
	}
	reader, err := topics.New(brokers)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	fed, err := read(ctx, reader, flow.Topic(pipeline, flow.In), flow.Partitions)
	if err != nil {
		return nil, err
	}
	var hops []Hop
	inputs := fed
	for _, s := range flow.Stages() {
		hop := Hop{Stage: s, Inputs: inputs}
		if hop.Outputs, err = read(ctx, reader, flow.Topic(pipeline, s.Name), flow.Partitions); err != nil {
			return nil, err
		}
		if hop.Poison, err = read(ctx, reader, flow.PoisonTopic(pipeline, s.Name), poisonPartitions); err != nil {
			return nil, err
		}
		hops = append(hops, hop)
		inputs = hop.Outputs
	}
	return Check(acknowledged, fed, hops), nil
}

func read(ctx context.Context, reader *topics.Reader, topic string, partitions int) ([]Record, error) {
	stored, err := reader.Read(ctx, topic, partitions)
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(stored))
	for i, r := range stored {
		if records[i], err = fromClient(r); err != nil {
			return nil, fmt.Errorf("read record %s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
		}
	}
	return records, nil
}

// fromClient reads a record's headers. Of a name that is there twice the last one
// counts: behind the headers of a poisoned message stands its story.
func fromClient(r *kgo.Record) (Record, error) {
	record := Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: string(r.Key), Value: string(r.Value), Time: r.Timestamp}
	for _, h := range r.Headers {
		value := string(h.Value)
		switch h.Key {
		case "ce_id":
			record.ID = value
		case "ce_causationid":
			record.Parent = value
		case "ce_correlationid":
			record.Job = value
		case "topic_poisoned":
			record.Poisoned.Topic = value
		case "reason_poisoned":
			record.Poisoned.Reason = value
		case "poison_partition":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return Record{}, fmt.Errorf("header %s: %w", h.Key, err)
			}
			record.Poisoned.Partition = int32(n)
		case "poison_offset":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return Record{}, fmt.Errorf("header %s: %w", h.Key, err)
			}
			record.Poisoned.Offset = n
		}
	}
	return record, nil
}
