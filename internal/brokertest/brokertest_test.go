package brokertest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/penstock/penstock/internal/brokertest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestWhatIsProducedIsReadBack(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("a", 3), brokertest.Topic("b", 1))
	brokertest.ProduceTo(t, b.Addrs(), "b", 0, brokertest.Record{Value: []byte("elsewhere")})
	readsBack(t, b.Addrs(), "a")
}

// readsBack checks that what is written to an empty topic with three partitions
// is read as it was written.
func readsBack(t *testing.T, addrs []string, topic string) {
	t.Helper()
	when := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	given := []brokertest.Record{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: when, Headers: []brokertest.Header{
			{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}, {Key: "empty", Value: []byte{}},
		}},
		{Key: nil, Value: []byte("no key")},
		{Key: []byte{}, Value: []byte("empty key")},
		{Key: []byte("tombstone"), Value: nil},
		{Key: []byte("empty value"), Value: []byte{}},
	}
	stored := brokertest.ProduceTo(t, addrs, topic, 2, given...)

	read := brokertest.ReadAll(t, addrs, topic)
	require.Len(t, read, len(given))
	for i, r := range read {
		require.Equal(t, topic, r.Topic)
		require.Equal(t, int32(2), r.Partition)
		require.Equal(t, int64(i), r.Offset)
		require.Equal(t, stored[i].Offset, r.Offset)
		require.Equal(t, given[i].Key, r.Key, "null and empty are not the same")
		require.Equal(t, given[i].Value, r.Value, "null and empty are not the same")
		require.Equal(t, given[i].Headers, r.Headers)
	}
	require.True(t, read[0].Timestamp.Equal(when), "the timestamp is %s", read[0].Timestamp)
}

func TestRecordsAreReadByPartitionAndOffset(t *testing.T) {
	t.Parallel()
	const partitions, each = 4, 2500
	b := brokertest.New(t, brokertest.Brokers(3), brokertest.Topic("a", partitions))

	var given []brokertest.Record
	for i := range partitions * each {
		given = append(given, brokertest.Record{
			Key:   fmt.Append(nil, "key ", i%97),
			Value: fmt.Append(nil, i, strings.Repeat(".", 500)),
		})
	}
	brokertest.Produce(t, b.Addrs(), "a", given...)

	read := brokertest.ReadAll(t, b.Addrs(), "a")
	require.Len(t, read, len(given))
	next := make(map[int32]int64)
	var last int32
	for _, r := range read {
		require.GreaterOrEqual(t, r.Partition, last)
		last = r.Partition
		require.Equal(t, next[r.Partition], r.Offset)
		next[r.Partition]++
	}
	require.Len(t, next, partitions, "97 keys reach every partition")
}

func TestATopicsLimitIsHeededBySmallBatches(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("a", 1, "max.message.bytes=3000"), brokertest.Topic("big", 1, "max.message.bytes=9000000"))

	var given []brokertest.Record
	for range 50 {
		given = append(given, brokertest.Record{Value: make([]byte, 500)})
	}
	brokertest.Produce(t, b.Addrs(), "a", given...)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "a"), 50)

	brokertest.Produce(t, b.Addrs(), "big", brokertest.Record{Value: make([]byte, 8_000_000)})
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "big"), 1)
}

func TestReadCommittedLeavesOutWhatWasAbortedOrIsOpen(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("a", 1))
	readsCommitted(t, b.Addrs(), "a")
}

// readsCommitted checks what is read of an empty topic while transactions run.
func readsCommitted(t *testing.T, addrs []string, topic string) {
	t.Helper()
	ctx := t.Context()
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
	require.NoError(t, err)
	defer client.Close()
	transaction := func(value string, end kgo.TransactionEndTry) {
		require.NoError(t, client.BeginTransaction())
		require.NoError(t, client.ProduceSync(ctx, kgo.StringRecord(value)).FirstErr())
		require.NoError(t, client.EndTransaction(ctx, end))
	}
	transaction("committed", kgo.TryCommit)
	transaction("aborted", kgo.TryAbort)

	require.Equal(t, []string{"committed"}, values(brokertest.ReadCommitted(t, addrs, topic)),
		"the log ends in records that are not handed out")
	require.NoError(t, client.BeginTransaction())
	require.NoError(t, client.ProduceSync(ctx, kgo.StringRecord("open")).FirstErr())

	require.Equal(t, []string{"committed"}, values(brokertest.ReadCommitted(t, addrs, topic)))
	require.Equal(t, []string{"committed", "aborted", "open"}, values(brokertest.ReadAll(t, addrs, topic)))
	require.NoError(t, client.EndTransaction(ctx, kgo.TryAbort))
}

func TestAnEmptyTopicReadsAsNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("a", 2))
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "a"))
}

func values(records []brokertest.Record) []string {
	var values []string
	for _, r := range records {
		values = append(values, string(r.Value))
	}
	return values
}
