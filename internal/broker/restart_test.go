package broker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

func TestARestartKeepsTopicsRecordsAndOffsets(t *testing.T) {
	t.Parallel()
	config := broker.Config{Dir: t.TempDir(), Brokers: 2}
	b := start(t, config)
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	brokertest.CreateTopic(t, b.Addrs(), "grown", 3, "max.message.bytes=5000", "retention.ms=-1")
	admin := newAdmin(t, b.Addrs())
	require.NoError(t, admin.CreatePartitions("grown", 5, nil, false))
	before, err := admin.DescribeTopics([]string{"a", "grown"})
	require.NoError(t, err)
	var given []brokertest.Record
	for i := range 200 {
		given = append(given, brokertest.Record{
			Key: fmt.Append(nil, i%20), Value: fmt.Append(nil, i), Headers: []brokertest.Header{{Key: "h", Value: []byte("v")}},
		})
	}
	brokertest.Produce(t, b.Addrs(), "a", given...)
	brokertest.Produce(t, b.Addrs(), "grown", given...)
	take(t, b.Addrs(), "g", "a", 150)
	records := map[string][]brokertest.Record{
		"a": brokertest.ReadAll(t, b.Addrs(), "a"), "grown": brokertest.ReadAll(t, b.Addrs(), "grown"),
	}
	require.Len(t, records["grown"], len(given))

	for range 2 {
		require.NoError(t, b.Close())
		b = start(t, config)
		require.Equal(t, records["a"], brokertest.ReadAll(t, b.Addrs(), "a"))
		require.Equal(t, records["grown"], brokertest.ReadAll(t, b.Addrs(), "grown"))
	}
	admin = newAdmin(t, b.Addrs())
	after, err := admin.DescribeTopics([]string{"a", "grown"})
	require.NoError(t, err)
	require.Len(t, after[1].Partitions, 5)
	for i := range before {
		require.Equal(t, before[i].Uuid, after[i].Uuid, "a topic keeps its id")
	}
	require.Equal(t, "5000", maxMessageBytes(t, admin, "grown"))
	require.Equal(t, "150", take(t, b.Addrs(), "g", "a", 50)[0], "the group goes on where it was")
}

func TestAnIdempotentProducerGoesOnOverARestart(t *testing.T) {
	t.Parallel()
	config := broker.Config{Dir: t.TempDir()}
	b := start(t, config)
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	producer := newProducer(t, b.Addrs(), idempotent(saramaConfig()))
	send(t, producer, "a", "0", "1")
	require.NoError(t, b.Close())
	b = start(t, config)

	send(t, producer, "a", "2", "3")
	require.Equal(t, []string{"0", "1", "2", "3"}, values(brokertest.ReadAll(t, b.Addrs(), "a")))
}

func TestATransactionThatIsOpenAtARestartCanBeCommitted(t *testing.T) {
	t.Parallel()
	dir := broker.Config{Dir: t.TempDir()}
	b := start(t, dir)
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	config := idempotent(saramaConfig())
	config.Producer.Transaction.ID = "t"
	producer := newProducer(t, b.Addrs(), config)
	require.NoError(t, producer.BeginTxn())
	send(t, producer, "a", "0")
	require.NoError(t, b.Close())
	b = start(t, dir)

	require.Empty(t, brokertest.ReadCommitted(t, b.Addrs(), "a"))
	send(t, producer, "a", "1")
	require.NoError(t, producer.CommitTxn())
	require.Equal(t, []string{"0", "1"}, values(brokertest.ReadCommitted(t, b.Addrs(), "a")))
}
