package saramaclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// deleteWait is how long the leader may wait for the replicas to follow.
const deleteWait = 10 * time.Second

// DeleteRecords removes the records of a partition that lie before an offset.
func DeleteRecords(ctx context.Context, c sarama.Client, topic string, partition int32, before int64) error {
	if err := deleteRecords(ctx, c, topic, partition, before); err != nil {
		return fmt.Errorf("delete the records of %s/%d before offset %d: %w", topic, partition, before, err)
	}
	return nil
}

func deleteRecords(ctx context.Context, c sarama.Client, topic string, partition int32, before int64) error {
	if before < 0 { // to a broker it would mean all
		return ErrNotInLog
	}
	s := &scan{c: c, topic: topic, partition: partition}
	beyond := false
	err := s.again(ctx, func() error {
		leader, err := c.Leader(topic, partition)
		if err != nil {
			return err
		}
		res, err := leader.DeleteRecords(&sarama.DeleteRecordsRequest{
			Version: 2, Timeout: deleteWait,
			Topics: map[string]*sarama.DeleteRecordsRequestTopic{topic: {PartitionOffsets: map[int32]int64{partition: before}}},
		})
		if err != nil {
			_ = leader.Close() // it is dialled again with the next use
			return err
		}
		if t := res.Topics[topic]; t == nil || t.Partitions[partition] == nil {
			return errors.New("the broker's answer lacks the partition")
		}
		switch code := res.Topics[topic].Partitions[partition].Err; code {
		case sarama.ErrNoError:
			return nil
		case sarama.ErrOffsetOutOfRange: // some brokers say so of what is gone already
			first, err := c.GetOffset(topic, partition, sarama.OffsetOldest)
			beyond = before > first
			return err
		default:
			return code
		}
	})
	if err == nil && beyond {
		return fmt.Errorf("the log ends before it: %w", ErrNotInLog)
	}
	return err
}

// DeleteRecords is the function of that name, on the reader's connections.
func (r *Reader) DeleteRecords(ctx context.Context, topic string, partition int32, before int64) error {
	ctx, cancel := r.within(ctx)
	defer cancel()
	ask, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return DeleteRecords(ctx, ask, topic, partition, before)
}
