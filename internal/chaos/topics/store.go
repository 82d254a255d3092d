package topics

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Store appends a record to the partition that it names.
func Store(ctx context.Context, brokers []string, record *kgo.Record) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		return fmt.Errorf("make a producer for %v: %w", brokers, err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("store a record in %s/%d: %w", record.Topic, record.Partition, err)
	}
	return nil
}
