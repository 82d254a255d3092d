package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// sending is one call of Publisher.Send, waiting for the fates of its outputs.
type sending struct {
	mu   sync.Mutex
	left int
	err  error // the first one
	done chan struct{}
}

type topicOutputs struct {
	name string
	info client.Topic
	any  int32 // partition of what has no key
	outs []client.Output
}

// prepare sorts outputs by topic, keeping their order, and checks them before
// any of them is sent.
func (w *sending) prepare(ctx context.Context, producer *preparer, outs []Output) ([]*topicOutputs, error) {
	var byTopic []*topicOutputs
	find := func(name string) (*topicOutputs, error) {
		for _, t := range byTopic {
			if t.name == name {
				return t, nil
			}
		}
		info, err := producer.topic(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("look up topic %s: %w", name, err)
		}
		t := &topicOutputs{name: name, info: info, any: rand.Int32N(int32(info.Partitions))} //nolint:gosec // spreads load, no secret
		byTopic = append(byTopic, t)
		return t, nil
	}
	for i := range outs {
		t, err := find(outs[i].Topic)
		if err != nil {
			return nil, err
		}
		rec := client.Output{Partition: t.any, Time: outs[i].Time, Key: outs[i].Key, Value: outs[i].Value, Headers: outs[i].Headers, Owner: w}
		if rec.Key != nil {
			rec.Partition = partitionOf(rec.Key, t.info.Partitions)
		}
		if !t.info.Takes(&rec) {
			return nil, &TooLargeError{Topic: t.name, Size: rec.BatchSize(), Limit: t.info.MaxBytes}
		}
		t.outs = append(t.outs, rec)
	}
	return byTopic, nil
}

func (w *sending) told(n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	if w.left -= n; w.left == 0 {
		close(w.done)
	}
}

// tellSending takes fates from a Publisher's producer.
func tellSending(r client.Result) {
	var err error
	if r.Err != nil {
		err = fmt.Errorf("send to %s/%d (%s): %w", r.Topic, r.Partition, r.Fate, r.Err)
	}
	r.ByOwner(func(owner any, outs []client.Output) {
		owner.(*sending).told(len(outs), err) //nolint:forcetypeassert // only Send enqueues here
	})
}
