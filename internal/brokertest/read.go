package brokertest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// ReadAll reads every partition of the topic from its first record to the end
// that it has at the call, records of open and of aborted transactions
// included. Partitions come in ascending order, and within one the offsets.
func ReadAll(t testing.TB, addrs []string, topic string) []Record {
	t.Helper()
	return read(t, addrs, topic, readUncommitted)
}

// ReadCommitted is ReadAll for what a reader of committed records sees: up to
// the first open transaction, and without what was aborted.
func ReadCommitted(t testing.TB, addrs []string, topic string) []Record {
	t.Helper()
	return read(t, addrs, topic, readCommitted)
}

// The isolation levels as the protocol numbers them.
const (
	readUncommitted int8 = 0
	readCommitted   int8 = 1
)

// Timestamps of ListOffsets that stand for the two ends of a partition.
const (
	latest   = -1
	earliest = -2
)

func read(t testing.TB, addrs []string, topic string, isolation int8) []Record {
	t.Helper()
	ctx, cancel := background()
	defer cancel()
	// Later versions name topics by their id in a fetch.
	client := newClient(t, addrs, kgo.MaxVersions(kversion.V2_8_0()))
	defer client.Close()

	r := reader{client: client, topic: topic, isolation: isolation}
	leaders := r.leaders(ctx, t)
	records := make([]Record, 0, len(leaders))
	for partition, leader := range leaders {
		records = append(records, r.partition(ctx, t, leader, int32(partition))...)
	}
	return records
}

// reader reads partitions by requests of its own: a consumer would not say how
// far it is where a log ends in records that it does not hand out.
type reader struct {
	client    *kgo.Client
	topic     string
	isolation int8
}

// partition returns what the partition holds now.
func (r reader) partition(ctx context.Context, t testing.TB, leader, partition int32) []Record {
	t.Helper()
	from := r.offset(ctx, t, partition, earliest)
	to := r.offset(ctx, t, partition, latest)
	var records []Record
	for from < to {
		some, next, err := r.fetch(ctx, t, leader, partition, from)
		if errors.Is(err, kerr.OffsetOutOfRange) {
			// The first records were deleted since; what is gone is not
			// part of what the partition holds.
			next = r.offset(ctx, t, partition, earliest)
			require.Greater(t, next, from, "partition %d of %s", partition, r.topic)
		} else {
			require.NoError(t, err, "fetch partition %d of %s from offset %d", partition, r.topic, from)
		}
		records = append(records, some...)
		from = next
	}
	// The last fetch may have found records that were written after the call.
	return slices.DeleteFunc(records, func(r Record) bool { return r.Offset >= to })
}

// leaders returns the leader of every partition, by partition number.
func (r reader) leaders(ctx context.Context, t testing.TB) []int32 {
	t.Helper()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = new(r.topic)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, topic)

	response, err := request.RequestWith(ctx, r.client)
	require.NoError(t, err, "look up topic %s", r.topic)
	require.Len(t, response.Topics, 1)
	require.NoError(t, kerr.ErrorForCode(response.Topics[0].ErrorCode), "look up topic %s", r.topic)
	leaders := make([]int32, len(response.Topics[0].Partitions))
	for _, p := range response.Topics[0].Partitions {
		require.NoError(t, kerr.ErrorForCode(p.ErrorCode), "look up partition %d of %s", p.Partition, r.topic)
		leaders[p.Partition] = p.Leader
	}
	return leaders
}

// offset returns the offset of one of the ends of the partition.
func (r reader) offset(ctx context.Context, t testing.TB, partition int32, end int64) int64 {
	t.Helper()
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = partition, end
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = r.topic
	topic.Partitions = append(topic.Partitions, p)
	request := kmsg.NewPtrListOffsetsRequest()
	request.IsolationLevel = r.isolation
	request.Topics = append(request.Topics, topic)

	response, err := request.RequestWith(ctx, r.client)
	require.NoError(t, err, "list the offsets of partition %d of %s", partition, r.topic)
	require.Len(t, response.Topics, 1)
	require.Len(t, response.Topics[0].Partitions, 1)
	result := response.Topics[0].Partitions[0]
	require.NoError(t, kerr.ErrorForCode(result.ErrorCode), "list the offsets of partition %d of %s", partition, r.topic)
	return result.Offset
}

// fetch reads some records from the offset on, and returns the offset to read
// from next.
func (r reader) fetch(ctx context.Context, t testing.TB, leader, partition int32, offset int64) ([]Record, int64, error) {
	t.Helper()
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, 1<<20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = r.topic
	topic.Partitions = append(topic.Partitions, p)
	request := kmsg.NewPtrFetchRequest()
	request.IsolationLevel = r.isolation
	request.MaxWaitMillis = 1000
	request.MinBytes = 1
	request.MaxBytes = 16 << 20
	request.Topics = append(request.Topics, topic)

	answer, err := r.client.Broker(int(leader)).RetriableRequest(ctx, request)
	require.NoError(t, err, "fetch partition %d of %s from offset %d", partition, r.topic, offset)
	require.IsType(t, (*kmsg.FetchResponse)(nil), answer)
	response, _ := answer.(*kmsg.FetchResponse)
	require.NoError(t, kerr.ErrorForCode(response.ErrorCode), "fetch partition %d of %s from offset %d", partition, r.topic, offset)
	require.Len(t, response.Topics, 1)
	require.Len(t, response.Topics[0].Partitions, 1)

	level := kgo.ReadUncommitted()
	if r.isolation == readCommitted {
		level = kgo.ReadCommitted()
	}
	fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: offset, IsolationLevel: level, Topic: r.topic, Partition: partition,
	}, &response.Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	records := make([]Record, 0, len(fetched.Records))
	for _, record := range fetched.Records {
		records = append(records, fromClient(record))
	}
	return records, next, fetched.Err
}
