package kafka

import (
	"fmt"
	"math/rand/v2"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// record makes what a producer takes of an output to a topic. Without a key and
// a place it goes to partition spread. A *TooLargeError says that the topic
// would refuse it.
func (o *Output) record(t client.Topic, spread int32) (client.Output, error) {
	rec := client.Output{Partition: spread, Time: o.Time, Key: o.Key, Value: o.Value, Headers: o.Headers}
	switch {
	case o.Placed && (o.Partition < 0 || int(o.Partition) >= t.Partitions):
		return rec, fmt.Errorf("topic %s has no partition %d: it has %d", o.Topic, o.Partition, t.Partitions)
	case o.Placed:
		rec.Partition = o.Partition
	case o.Key != nil:
		rec.Partition = partitionOf(o.Key, t.Partitions)
	}
	if !t.Takes(&rec) {
		return rec, &TooLargeError{Topic: o.Topic, Size: rec.BatchSize(), Limit: t.MaxBytes}
	}
	return rec, nil
}

// topicOutputs are outputs to one topic, in order.
type topicOutputs struct {
	name   string
	info   client.Topic
	spread int32
	outs   []client.Output
}

// byTopic sorts outputs by topic, keeping their order, and checks them before
// any of them is sent. Each has the owner, and its index as the entry.
func byTopic(outs []Output, owner any, look func(topic string) (client.Topic, error)) ([]*topicOutputs, error) {
	var sorted []*topicOutputs
	find := func(name string) (*topicOutputs, error) {
		for _, t := range sorted {
			if t.name == name {
				return t, nil
			}
		}
		info, err := look(name)
		if err != nil {
			return nil, fmt.Errorf("look up topic %s: %w", name, err)
		}
		t := &topicOutputs{name: name, info: info, spread: rand.Int32N(int32(info.Partitions))} //nolint:gosec // spreads load, no secret
		sorted = append(sorted, t)
		return t, nil
	}
	for i := range outs {
		t, err := find(outs[i].Topic)
		if err != nil {
			return nil, err
		}
		rec, err := outs[i].record(t.info, t.spread)
		if err != nil {
			return nil, err
		}
		rec.Owner, rec.Entry = owner, int64(i)
		t.outs = append(t.outs, rec)
	}
	return sorted, nil
}
