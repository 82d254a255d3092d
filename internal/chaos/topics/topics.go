// Package topics reads what a chaos run left in its topics, and how far its
// consumer groups are. It shares no code with the transport.
package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Reader reads topics. Close it after use.
type Reader struct {
	brokers []string
	admin   *kgo.Client
}

// New returns a Reader for the cluster.
func New(brokers []string) (*Reader, error) {
	// Later versions name topics by their ids.
	admin, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MaxVersions(kversion.V3_8_0()))
	if err != nil {
		return nil, fmt.Errorf("make a client for %v: %w", brokers, err)
	}
	return &Reader{brokers: brokers, admin: admin}, nil
}

// Close ends the Reader's connections.
func (r *Reader) Close() { r.admin.Close() }

// latest stands for the end of a partition in a request for offsets.
const latest = -1

// Ends returns the end of each partition of the topic.
func (r *Reader) Ends(ctx context.Context, topic string, partitions int) (map[int32]int64, error) {
	return patiently(ctx, func() (map[int32]int64, error) { return r.ends(ctx, topic, partitions) })
}

func (r *Reader) ends(ctx context.Context, topic string, partitions int) (map[int32]int64, error) {
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = topic
	for p := range partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = int32(p), latest
		asked.Partitions = append(asked.Partitions, partition)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.Topics = append(request.Topics, asked)
	response, err := request.RequestWith(ctx, r.admin)
	if err != nil {
		return nil, fmt.Errorf("list the offsets of %s: %w", topic, err)
	}
	ends := map[int32]int64{}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("list the offsets of %s/%d: %w", topic, p.Partition, err)
			}
			ends[p.Partition] = p.Offset
		}
	}
	return ends, nil
}

// Committed returns what the group has committed of each partition of the topic, -1
// where it has not.
func (r *Reader) Committed(ctx context.Context, group, topic string, partitions int) (map[int32]int64, error) {
	return patiently(ctx, func() (map[int32]int64, error) { return r.committed(ctx, group, topic, partitions) })
}

func (r *Reader) committed(ctx context.Context, group, topic string, partitions int) (map[int32]int64, error) {
	asked := kmsg.NewOffsetFetchRequestGroupTopic()
	asked.Topic = topic
	for p := range partitions {
		asked.Partitions = append(asked.Partitions, int32(p))
	}
	of := kmsg.NewOffsetFetchRequestGroup()
	of.Group, of.Topics = group, append(of.Topics, asked)
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Groups = append(request.Groups, of)
	response, err := request.RequestWith(ctx, r.admin)
	if err != nil {
		return nil, fmt.Errorf("fetch the offsets of group %s: %w", group, err)
	}
	offsets := map[int32]int64{}
	for _, g := range response.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return nil, fmt.Errorf("fetch the offsets of group %s: %w", group, err)
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				offsets[p.Partition] = p.Offset
			}
		}
	}
	return offsets, nil
}

// readTimeout bounds the time in which a read must come further.
const readTimeout = 30 * time.Second

// Read returns what the topic holds at the call and was committed, partition after
// partition, each in the order of its offsets.
func (r *Reader) Read(ctx context.Context, topic string, partitions int) ([]*kgo.Record, error) {
	ends, err := r.Ends(ctx, topic, partitions)
	if err != nil {
		return nil, err
	}
	from := map[int32]kgo.Offset{}
	for p, end := range ends {
		if end > 0 {
			from[p] = kgo.NewOffset().AtStart()
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.KeepControlRecords(), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, fmt.Errorf("make a client for %v: %w", r.brokers, err)
	}
	defer client.Close()
	records, err := readTo(ctx, client, ends, len(from))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", topic, err)
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int { return int(a.Partition) - int(b.Partition) })
	return records, nil
}

// readTo reads until so many partitions are read to their ends.
func readTo(ctx context.Context, client *kgo.Client, ends map[int32]int64, open int) (records []*kgo.Record, err error) {
	for open > 0 {
		err := func() error {
			ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errors.New("the broker gives nothing more, and the end is not reached"))
			defer cancel()
			fetches := client.PollFetches(ctx)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			fetches.EachRecord(func(record *kgo.Record) {
				if record.Offset >= ends[record.Partition] {
					return
				}
				if record.Offset == ends[record.Partition]-1 {
					open--
				}
				if !record.Attrs.IsControl() {
					records = append(records, record)
				}
			})
			return fetches.Err()
		}()
		if err != nil {
			return nil, err
		}
	}
	return records, nil
}
