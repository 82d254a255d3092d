package checker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
	"github.com/penstock/penstock/internal/chaos/retrylog"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// poisonPartitions is how many partitions a poison topic has.
const poisonPartitions = 1

// Source says what is to be checked.
type Source struct {
	Brokers  []string
	Pipeline string
	Stages   []flow.Stage
	Journal  string // the path of the producers' journal

	// Log are the records of a stage's retry log, where it parks: partition after
	// partition, from the first one on. Owners cut their logs, so only who has
	// followed them has all.
	Log func(flow.Stage) []retrylog.Record

	// Deadline is how long a message of a key may take while another key waits for
	// long. 0: that is not tested.
	Deadline time.Duration
}

// CheckPipeline reads the topics of the pipeline and the producers' journal, and
// checks them.
func CheckPipeline(ctx context.Context, src Source) (*Report, error) {
	acknowledged, err := journal.Read(src.Journal)
	if err != nil {
		return nil, err
	}
	reader, err := topics.New(src.Brokers)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	fed, err := read(ctx, reader, flow.Topic(src.Pipeline, flow.In), flow.Partitions)
	if err != nil {
		return nil, err
	}
	var hops []Hop
	inputs := fed
	for _, s := range src.Stages {
		hop := Hop{Stage: s, Inputs: inputs, Deadline: src.Deadline}
		if hop.Outputs, err = read(ctx, reader, flow.Topic(src.Pipeline, s.Name), flow.Partitions); err != nil {
			return nil, err
		}
		if hop.Poison, err = read(ctx, reader, flow.PoisonTopic(src.Pipeline, s.Name), poisonPartitions); err != nil {
			return nil, err
		}
		if s.Parking() {
			hop.Log = src.Log(s)
			if hop.InputID, err = reader.ID(ctx, flow.Topic(src.Pipeline, s.Input)); err != nil {
				return nil, err
			}
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
	record := Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: string(r.Key), Value: string(r.Value), Time: r.Timestamp, Headers: topics.Headers(r.Headers)}
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
		case "poison_attempts":
			n, err := strconv.Atoi(value)
			if err != nil {
				return Record{}, fmt.Errorf("header %s: %w", h.Key, err)
			}
			record.Poisoned.Attempts = n
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
