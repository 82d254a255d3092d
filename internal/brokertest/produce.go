package brokertest

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Produce writes the records to the topic with acks=all and returns them as
// stored, with partition, offset and timestamp. The key chooses the partition
// as in every Kafka client (murmur2); records without a key are spread. Records
// of one partition keep their order. Topic, Partition and Offset of the given
// records are ignored, and so is a Timestamp of zero.
func Produce(t testing.TB, addrs []string, topic string, records ...Record) []Record {
	t.Helper()
	return produce(t, addrs, topic, byKey, records)
}

// ProduceTo is Produce to one partition, whatever the keys.
func ProduceTo(t testing.TB, addrs []string, topic string, partition int32, records ...Record) []Record {
	t.Helper()
	return produce(t, addrs, topic, partition, records)
}

// byKey is the partition of a record that goes where its key says.
const byKey = -1

func produce(t testing.TB, addrs []string, topic string, partition int32, records []Record) []Record {
	t.Helper()
	ctx, cancel := background()
	defer cancel()

	partitioner := kgo.StickyKeyPartitioner(nil)
	if partition != byKey {
		partitioner = kgo.ManualPartitioner()
	}
	client := newClient(t, addrs,
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(partitioner),
		kgo.ProducerBatchMaxBytes(batchLimit(ctx, t, addrs, topic)),
	)
	defer client.Close()

	batch := make([]*kgo.Record, 0, len(records))
	for _, r := range records {
		batch = append(batch, r.toClient(topic, partition))
	}
	stored := make([]Record, 0, len(records))
	for _, result := range client.ProduceSync(ctx, batch...) {
		require.NoError(t, result.Err, "produce to topic %s", topic)
		stored = append(stored, fromClient(result.Record))
	}
	return stored
}

// batchLimit returns the size of a batch that the topic takes: without it the
// client would put more than the topic's limit into one batch, or refuse a
// record that the topic takes.
func batchLimit(ctx context.Context, t testing.TB, addrs []string, topic string) int32 {
	t.Helper()
	client := newClient(t, addrs)
	defer client.Close()

	const config = "max.message.bytes"
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeTopic
	resource.ResourceName = topic
	resource.ConfigNames = []string{config}
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = append(request.Resources, resource)

	response, err := request.RequestWith(ctx, client)
	require.NoError(t, err, "describe topic %s", topic)
	require.Len(t, response.Resources, 1)
	require.NoError(t, kerr.ErrorForCode(response.Resources[0].ErrorCode), "describe topic %s", topic)
	for _, c := range response.Resources[0].Configs {
		if c.Name == config && c.Value != nil {
			limit, err := strconv.ParseInt(*c.Value, 10, 32)
			require.NoError(t, err, "%s of topic %s", config, topic)
			return clamp(int32(limit))
		}
	}
	require.FailNow(t, "the broker did not tell "+config, "topic %s", topic)
	return 0
}

// clamp keeps a limit within what the client can be told.
func clamp(limit int32) int32 {
	const smallest, largest = 1 << 10, 64 << 20
	return min(max(limit, smallest), largest)
}
