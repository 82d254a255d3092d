package kafka

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// Reader reads partitions outside of any group, and commits nothing. Records of
// aborted transactions are left out, and of a partition with an open transaction
// all from its first record on. It is safe for concurrent use.
type Reader struct{ conn sarama.Client }

// Bounds is where the log of a partition begins and ends.
type Bounds struct {
	Partition int32
	Start     int64 // the oldest offset that the log still has
	End       int64 // the offset behind the last record
}

// NewReader connects to a cluster.
func NewReader(ctx context.Context, cfg Config) (*Reader, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure Kafka: %w", err)
	}
	conn, err := saramaclient.Dial(ctx, cfg.Brokers, cfg.sarama())
	if err != nil {
		return nil, err
	}
	return &Reader{conn: conn}, nil
}

// Close ends the connections. Reads that are under way fail.
func (r *Reader) Close() error { return r.conn.Close() }

// Bounds tells where the log of each partition of a topic begins and ends now.
func (r *Reader) Bounds(ctx context.Context, topic string) ([]Bounds, error) {
	bounds, err := saramaclient.Aside(ctx, func() ([]Bounds, error) {
		partitions, err := r.conn.Partitions(topic)
		if err != nil {
			return nil, err
		}
		bounds := make([]Bounds, len(partitions))
		for i, p := range partitions {
			b := &bounds[i]
			b.Partition = p
			if b.Start, err = r.conn.GetOffset(topic, p, sarama.OffsetOldest); err != nil {
				return nil, fmt.Errorf("partition %d: %w", p, err)
			}
			if b.End, err = r.conn.GetOffset(topic, p, sarama.OffsetNewest); err != nil {
				return nil, fmt.Errorf("partition %d: %w", p, err)
			}
		}
		return bounds, nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up where topic %s begins and ends: %w", topic, err)
	}
	return bounds, nil
}

// Read calls f with every record that a partition has at the call from an offset
// on, or from where its log begins if that is later, in the order of offsets. It
// returns the offset to go on from. An error of f ends the read and is returned,
// with the offset of that record.
func (r *Reader) Read(ctx context.Context, topic string, partition int32, from int64, f func(*Record) error) (next int64, err error) {
	next, err = saramaclient.Scan(ctx, r.conn, topic, partition, from, f)
	if err != nil {
		return next, fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	return next, nil
}

// ReadTopic calls f with every record that a topic has when it is called, a
// partition after the other: [Reader.Read] for all of a topic.
func ReadTopic(ctx context.Context, cfg Config, topic string, f func(*Record) error) error {
	r, err := NewReader(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	partitions, err := saramaclient.Aside(ctx, func() ([]int32, error) { return r.conn.Partitions(topic) })
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	for _, p := range partitions {
		if _, err := r.Read(ctx, topic, p, 0, f); err != nil {
			return err
		}
	}
	return nil
}
