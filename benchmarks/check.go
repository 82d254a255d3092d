package main

import (
	"context"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"
)

// checker reads a contestant's outputs: of each key every sequence from 0 on,
// none twice, none missing before another, each with the right value.
type checker struct {
	next  map[string]int64 // sequence that the key's next message must have
	count int64
	bytes int64 // of keys, values and headers
}

func newChecker() *checker { return &checker{next: map[string]int64{}} }

func (c *checker) add(r *kgo.Record) error {
	seq, err := sequenceOf(r.Key, r.Value)
	if err != nil {
		return fmt.Errorf("%s/%d@%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	if want := c.next[string(r.Key)]; seq != want {
		return fmt.Errorf("%s/%d@%d: key %s has sequence %d where %d has to be", r.Topic, r.Partition, r.Offset, r.Key, seq, want)
	}
	c.next[string(r.Key)]++
	c.count++
	c.bytes += int64(len(r.Key) + len(r.Value))
	for _, h := range r.Headers {
		c.bytes += int64(len(h.Key) + len(h.Value))
	}
	return nil
}

// whole tells whether every key has all of its messages, n in all.
func (c *checker) whole(n int64, keys int) error {
	for i := range keys {
		want := n / int64(keys)
		if int64(i) < n%int64(keys) {
			want++
		}
		if got := c.next[string(keyName(i))]; got != want {
			return fmt.Errorf("key %s has %d messages of %d", keyName(i), got, want)
		}
	}
	if c.count != n {
		return fmt.Errorf("there are %d messages instead of %d", c.count, n)
	}
	return nil
}

// check reads what a run left. Of a run on a part of the input it cannot tell
// which messages were reached, only that those before them are there.
func (c *cluster) check(ctx context.Context, j job, total int64) (run checkedRun, err error) {
	seen, err := c.read(ctx, j.outputTopic())
	if err != nil {
		return run, err
	}
	if j.Messages == total {
		if err := seen.whole(total, j.Load.Keys); err != nil {
			return run, err
		}
	} else if seen.count < j.Messages {
		return run, fmt.Errorf("there are %d messages instead of %d", seen.count, j.Messages)
	}
	committed, err := c.committed(ctx, j.group(), j.inputTopic())
	if err != nil {
		return run, err
	}
	if committed > seen.count {
		return run, fmt.Errorf("%d messages are committed, but %d outputs are stored: the rest would be lost", committed, seen.count)
	}
	return checkedRun{uncommitted: seen.count - committed, outputBytes: float64(seen.bytes) / float64(seen.count)}, nil
}

type checkedRun struct {
	uncommitted int64   // outputs that would be made again after the run's end
	outputBytes float64 // of a message: key, value, headers
}

// read reads a topic from its beginning to its end.
func (c *cluster) read(ctx context.Context, topic string) (*checker, error) {
	ends, err := c.ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords()) // a transaction ends with one
	if err != nil {
		return nil, fmt.Errorf("read topic %s: %w", topic, err)
	}
	defer client.Close()
	seen := newChecker()
	maps.DeleteFunc(ends, func(_ int32, end int64) bool { return end == 0 })
	for len(ends) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("read topic %s: %w", topic, err)
		}
		for _, r := range fetches.Records() {
			if r.Offset+1 >= ends[r.Partition] {
				delete(ends, r.Partition)
			}
			if r.Attrs.IsControl() {
				continue
			}
			if err := seen.add(r); err != nil {
				return nil, err
			}
		}
	}
	return seen, nil
}
