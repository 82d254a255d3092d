package kafka

import (
	"context"
	"fmt"

	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// ReadTopic calls f with every record that topic has when it is called, a
// partition after the other, in the order of offsets. Records of aborted
// transactions are left out, and of a partition with an open transaction all
// from its first record on. It belongs to no group and commits nothing. An
// error of f ends the read and is returned.
func ReadTopic(ctx context.Context, cfg Config, topic string, f func(*Record) error) error {
	if err := cfg.validate(); err != nil {
		return fmt.Errorf("configure Kafka: %w", err)
	}
	conn, err := saramaclient.Dial(ctx, cfg.Brokers, cfg.sarama())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	partitions, err := saramaclient.Aside(ctx, func() ([]int32, error) { return conn.Partitions(topic) })
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	for _, p := range partitions {
		if err := saramaclient.Scan(ctx, conn, topic, p, f); err != nil {
			return fmt.Errorf("read %s/%d: %w", topic, p, err)
		}
	}
	return nil
}
