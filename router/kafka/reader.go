package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// readIdle is how long the read of a partition waits for a record below the
// end. What is there are markers of transactions, or records that compaction
// removed: they are never delivered.
const readIdle = time.Second

// ReadTopic calls f with every record that topic has when it is called, a
// partition after the other, in the order of offsets. It belongs to no group
// and commits nothing. An error of f ends the read and is returned.
func ReadTopic(ctx context.Context, cfg Config, topic string, f func(*Record) error) error {
	if err := cfg.validate(); err != nil {
		return fmt.Errorf("configure Kafka: %w", err)
	}
	s := cfg.sarama()
	s.Consumer.IsolationLevel = sarama.ReadCommitted
	s.Consumer.Return.Errors = true
	conn, err := saramaclient.Dial(ctx, cfg.Brokers, s)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	partitions, err := saramaclient.Aside(ctx, func() ([]int32, error) { return conn.Partitions(topic) })
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	consumer, err := sarama.NewConsumerFromClient(conn)
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	defer func() { _ = consumer.Close() }()
	for _, p := range partitions {
		if err := readPartition(ctx, conn, consumer, topic, p, f); err != nil {
			return fmt.Errorf("read %s/%d: %w", topic, p, err)
		}
	}
	return nil
}

func readPartition(ctx context.Context, conn sarama.Client, consumer sarama.Consumer, topic string, partition int32, f func(*Record) error) error {
	start, err := conn.GetOffset(topic, partition, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	end, err := conn.GetOffset(topic, partition, sarama.OffsetNewest)
	if err != nil || start >= end {
		return err
	}
	pc, err := consumer.ConsumePartition(topic, partition, start)
	if err != nil {
		return err
	}
	defer pc.AsyncClose()
	idle := time.NewTimer(readIdle)
	defer idle.Stop()
	for {
		select {
		case m := <-pc.Messages():
			if m.Offset >= end {
				return nil
			}
			r := saramaclient.Record(m)
			if err := f(&r); err != nil {
				return err
			}
			if m.Offset == end-1 {
				return nil
			}
			idle.Reset(readIdle)
		case err := <-pc.Errors():
			return err
		case <-idle.C:
			if pc.HighWaterMarkOffset() >= end { // an answer has come, and nothing was in it for us
				return nil
			}
			idle.Reset(readIdle)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
