package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Follow reads topics from their starts, and on until ctx ends, and hands over each
// record. Where records are removed before they could be read that is an error.
func (r *Reader) Follow(ctx context.Context, topics []string, partitions int, take func(*kgo.Record) error) error {
	from := map[string]map[int32]kgo.Offset{}
	for _, topic := range topics {
		from[topic] = map[int32]kgo.Offset{}
		for p := range partitions {
			from[topic][int32(p)] = kgo.NewOffset().AtStart()
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.ConsumePartitions(from))
	if err != nil {
		return fmt.Errorf("make a client for %v: %w", r.brokers, err)
	}
	defer client.Close()
	next := map[string]map[int32]int64{}
	for _, topic := range topics {
		next[topic] = map[int32]int64{}
	}
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var failed error
		fetches.EachRecord(func(record *kgo.Record) {
			due := next[record.Topic][record.Partition]
			if failed == nil && record.Offset != due {
				failed = fmt.Errorf("follow %s/%d: offset %d was due, and %d came", record.Topic, record.Partition, due, record.Offset)
			}
			if failed == nil {
				failed = take(record)
			}
			next[record.Topic][record.Partition] = record.Offset + 1
		})
		if failed != nil {
			return failed
		}
		// An error of a fetch is one of a broker that is away: the client asks again.
	}
}
