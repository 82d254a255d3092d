package kafka

import (
	"fmt"
	"math/rand/v2"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// appendRecord appends what a producer takes of an output to a topic, and returns
// it. Without a key and a place it goes to partition spread. With an error, a
// *TooLargeError when the topic would refuse it, nothing was appended.
func (o *Output) appendRecord(outs []client.Output, t client.Topic, spread int32, of client.Ticket) ([]client.Output, error) {
	outs = append(outs, client.Output{Ticket: of, Partition: spread, Time: o.Time, Key: o.Key, Value: o.Value, Headers: o.Headers})
	before, rec := outs[:len(outs)-1], &outs[len(outs)-1]
	switch {
	case o.Placed && (o.Partition < 0 || int(o.Partition) >= t.Partitions):
		return before, fmt.Errorf("topic %s has no partition %d: it has %d", o.Topic, o.Partition, t.Partitions)
	case o.Placed:
		rec.Partition = o.Partition
	case o.Key != nil:
		rec.Partition = partitionOf(o.Key, t.Partitions)
	}
	if !t.Takes(rec) {
		return before, &TooLargeError{Topic: o.Topic, Size: rec.BatchSize(), Limit: t.MaxBytes}
	}
	return outs, nil
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
		t.outs, err = outs[i].appendRecord(t.outs, t.info, t.spread, client.Ticket{Owner: owner, Entry: int64(i)})
		if err != nil {
			return nil, err
		}
	}
	return sorted, nil
}
