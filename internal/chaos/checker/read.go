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

	// Freezes are the workers that were stopped and continued, where what they do to
	// the order counts apart. Exactly once it must do nothing: then there are none.
	Freezes []Freeze

	// Once tells that the stages run exactly once.
	Once bool

	// Seen is what another reader saw in a topic while the run went on, partition
	// after partition.
	Seen func(topic string) []Sighting
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
	r := &reading{ctx: ctx, src: src, reader: reader}
	fed := r.topic(flow.Topic(src.Pipeline, flow.In), flow.Partitions)
	var hops []Hop
	inputs := fed
	for _, s := range src.Stages {
		hop := r.hop(s, inputs)
		hops = append(hops, hop)
		inputs = hop.Outputs
	}
	if r.err != nil {
		return nil, r.err
	}
	report := Check(acknowledged, fed, hops)
	report.Findings = append(report.Findings, r.differences...)
	return report, nil
}

// reading reads what is to be checked, until the first error.
type reading struct {
	ctx         context.Context //nolint:containedctx // it lives as long as one call
	src         Source
	reader      *topics.Reader
	err         error
	differences []Finding
}

func (r *reading) hop(s flow.Stage, inputs []Record) Hop {
	hop := Hop{
		Stage: s, Inputs: inputs, Deadline: r.src.Deadline, Freezes: r.src.Freezes, Once: r.src.Once,
		Outputs: r.topic(flow.Topic(r.src.Pipeline, s.Name), flow.Partitions),
		Poison:  r.topic(flow.PoisonTopic(r.src.Pipeline, s.Name), flow.PoisonPartitions),
	}
	if s.Parking() && r.err == nil {
		hop.Log = r.src.Log(s)
		hop.InputID, r.err = r.reader.ID(r.ctx, flow.Topic(r.src.Pipeline, s.Input))
	}
	return hop
}

// topic reads a topic, and compares it with what another reader saw of it.
func (r *reading) topic(name string, partitions int) []Record {
	if r.err != nil {
		return nil
	}
	var records []Record
	records, r.err = read(r.ctx, r.reader, name, partitions)
	if r.src.Seen != nil && r.err == nil {
		r.differences = append(r.differences, Compare(name, r.src.Seen(name), records)...)
	}
	return records
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
		case flow.WorkerHeader:
			record.Writer = value
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
