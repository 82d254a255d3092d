package kafka_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// readTopic returns the values that ReadTopic finds.
func readTopic(t testing.TB, addrs []string, topic string) []string {
	t.Helper()
	values := []string{}
	err := kafka.ReadTopic(within(t), kafka.Config{Brokers: addrs}, topic, func(r *kafka.Record) error {
		values = append(values, string(r.Value))
		return nil
	})
	require.NoError(t, err)
	return values
}

// transactions is a client that writes to partition 0 of topic "in" in
// transactions.
func transactions(t testing.TB, addrs []string, id string) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID(id),
		kgo.DefaultProduceTopic("in"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func begin(t testing.TB, c *kgo.Client, values ...string) {
	t.Helper()
	require.NoError(t, c.BeginTransaction())
	for _, v := range values {
		require.NoError(t, c.ProduceSync(within(t), kgo.StringRecord(v)).FirstErr())
	}
}

func TestReadTopicReadsEveryPartitionInOrder(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Brokers(3), brokertest.Topic("in", 6))
	feed(t, b.Addrs(), 100, 50)
	var got []brokertest.Record
	err := kafka.ReadTopic(within(t), kafka.Config{Brokers: b.Addrs()}, "in", func(r *kafka.Record) error {
		got = append(got, brokertest.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Time, Key: r.Key, Value: r.Value})
		return nil
	})
	require.NoError(t, err)
	want := brokertest.ReadAll(t, b.Addrs(), "in")
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, want[i].Timestamp.Equal(got[i].Timestamp))
		want[i].Timestamp = got[i].Timestamp
		require.Equal(t, want[i], got[i])
	}
}

func TestReadTopicSeesNullAndEmptyAndHeaders(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1))
	brokertest.Produce(t, b.Addrs(), "in",
		brokertest.Record{}, brokertest.Record{Key: []byte{}, Value: []byte{}},
		brokertest.Record{Headers: []brokertest.Header{{Key: "", Value: nil}, {Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}}})
	var got []kafka.Record
	require.NoError(t, kafka.ReadTopic(within(t), kafka.Config{Brokers: b.Addrs()}, "in", func(r *kafka.Record) error {
		got = append(got, *r)
		return nil
	}))
	require.Len(t, got, 3)
	require.Nil(t, got[0].Key)
	require.Nil(t, got[0].Value)
	require.Equal(t, []byte{}, got[1].Key)
	require.Equal(t, []byte{}, got[1].Value)
	require.Len(t, got[2].Headers, 3)
	require.Equal(t, kafka.Header{Key: []byte("a"), Value: []byte("2")}, got[2].Headers[2])
}

func TestReadTopicEndsAtTransactionMarkers(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 3))
	c := transactions(t, b.Addrs(), "one")
	for i := range 5 {
		begin(t, c, fmt.Sprint("kept ", i))
		require.NoError(t, c.EndTransaction(within(t), kgo.TryCommit))
		begin(t, c, fmt.Sprint("aborted ", i), "aborted too")
		require.NoError(t, c.EndTransaction(within(t), kgo.TryAbort))
	}
	kept := []string{"kept 0", "kept 1", "kept 2", "kept 3", "kept 4"}
	require.Equal(t, kept, readTopic(t, b.Addrs(), "in"))

	begin(t, c, "open")
	brokertest.ProduceTo(t, b.Addrs(), "in", 0, brokertest.Record{Value: []byte("behind the open one")})
	require.Equal(t, kept, readTopic(t, b.Addrs(), "in"))
	require.NoError(t, c.EndTransaction(within(t), kgo.TryAbort))
	require.Equal(t, append(kept, "behind the open one"), readTopic(t, b.Addrs(), "in"))
}

func TestReadTopicPassesGaps(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 2, "cleanup.policy=compact", "min.cleanable.dirty.ratio=0", "segment.bytes=100"))
	for i := range 10 {
		for _, key := range []string{"a", "b"} {
			brokertest.ProduceTo(t, b.Addrs(), "in", 0, brokertest.Record{Key: []byte(key), Value: fmt.Append(nil, key, i)})
		}
	}
	b.Cluster().Compact()
	want := []string{}
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "in") {
		want = append(want, string(r.Value))
	}
	require.Less(t, len(want), 20, "something was compacted")
	require.Equal(t, want, readTopic(t, b.Addrs(), "in"))

	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 20))
	require.Empty(t, readTopic(t, b.Addrs(), "in"))
}

// A record that is larger than what is asked for at once comes nevertheless.
func TestReadTopicTakesLargeRecords(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1, "max.message.bytes=9000000"))
	brokertest.Produce(t, b.Addrs(), "in", brokertest.Record{Value: make([]byte, 3<<20)}, brokertest.Record{Value: []byte("small")})
	require.Len(t, readTopic(t, b.Addrs(), "in"), 2)
}

// Slow and moving brokers delay the end, they do not bring it nearer.
func TestReadTopicLeavesOutNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Brokers(3), brokertest.Topic("in", 3))
	feed(t, b.Addrs(), 30, 10)
	for _, err := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.RequestTimedOut} {
		h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "in", Err: err, Count: 3})
		values, n := readTopic(t, b.Addrs(), "in"), h.Hits()
		require.Len(t, values, 300, "%v", err)
		require.Equal(t, 3, n)
	}
	b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "in", Err: kerr.TopicAuthorizationFailed})
	err := kafka.ReadTopic(within(t), kafka.Config{Brokers: b.Addrs()}, "in", func(*kafka.Record) error { return nil })
	require.ErrorContains(t, err, "read in/0")
	require.ErrorContains(t, err, "not authorized")
}

func TestReadTopicEndsWithItsReader(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 2))
	feed(t, b.Addrs(), 10, 10)
	enough, n := errors.New("enough"), 0
	err := kafka.ReadTopic(within(t), kafka.Config{Brokers: b.Addrs()}, "in", func(*kafka.Record) error {
		n++
		if n == 3 {
			return enough
		}
		return nil
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 3, n)
	require.Error(t, kafka.ReadTopic(within(t), kafka.Config{Brokers: b.Addrs()}, "no such topic", func(*kafka.Record) error { return nil }))
	require.Error(t, kafka.ReadTopic(within(t), kafka.Config{}, "in", func(*kafka.Record) error { return nil }))
}
