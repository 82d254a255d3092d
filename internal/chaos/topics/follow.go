package topics

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// answered is how many bytes a broker answers at once.
const answered = 1 << 20

// Follow reads topics from their starts, and on until ctx ends, and hands over each
// record that was committed, and the control records behind them. Those that are
// removed before they could be read are left out: start is where the partition began
// when the record was read. A broker is asked every so often: who is answered at once
// takes from a small machine what the run needs.
func (r *Reader) Follow(ctx context.Context, topics map[string]int, every time.Duration, take func(r *kgo.Record, start int64) error) error {
	from := map[string]map[int32]kgo.Offset{}
	for topic, partitions := range topics {
		from[topic] = map[int32]kgo.Offset{}
		for p := range partitions {
			from[topic][int32(p)] = kgo.NewOffset().AtStart()
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.ConsumePartitions(from), kgo.FetchMinBytes(answered), kgo.FetchMaxWait(every),
		kgo.KeepControlRecords(), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return fmt.Errorf("make a client for %v: %w", r.brokers, err)
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var failed error
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, record := range p.Records {
				if failed == nil {
					failed = take(record, p.LogStartOffset)
				}
			}
		})
		if failed != nil {
			return failed
		}
		// An error of a fetch is one of a broker that is away: the client asks again.
	}
}
