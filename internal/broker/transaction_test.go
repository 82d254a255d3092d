package broker_test

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

func TestTransactionsCommitRecordsAndOffsetsTogether(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	brokertest.CreateTopic(t, b.Addrs(), "in", 1)
	brokertest.CreateTopic(t, b.Addrs(), "out", 1)
	send(t, newProducer(t, b.Addrs(), saramaConfig()), "in", "0")
	take(t, b.Addrs(), "g", "in", 1)
	config := idempotent(saramaConfig())
	config.Producer.Transaction.ID = "g-0"
	producer := newProducer(t, b.Addrs(), config)
	offsets := func(offset int64) map[string][]*sarama.PartitionOffsetMetadata {
		return map[string][]*sarama.PartitionOffsetMetadata{"in": {{Partition: 0, Offset: offset}}}
	}

	require.NoError(t, producer.BeginTxn())
	send(t, producer, "out", "aborted")
	require.NoError(t, producer.AddOffsetsToTxn(offsets(7), "g"))
	require.Empty(t, brokertest.ReadCommitted(t, b.Addrs(), "out"))
	require.NoError(t, producer.AbortTxn())
	require.Equal(t, int64(1), stableOffset(t, b.Addrs()).Offset)

	require.NoError(t, producer.BeginTxn())
	send(t, producer, "out", "committed")
	require.NoError(t, producer.AddOffsetsToTxn(offsets(9), "g"))
	require.NoError(t, producer.CommitTxn())
	require.Equal(t, int64(9), stableOffset(t, b.Addrs()).Offset)
	require.Equal(t, []string{"committed"}, values(brokertest.ReadCommitted(t, b.Addrs(), "out")))
	require.Equal(t, []string{"aborted", "committed"}, values(brokertest.ReadAll(t, b.Addrs(), "out")))

	successor := newProducer(t, b.Addrs(), config)
	require.NoError(t, successor.BeginTxn())
	send(t, successor, "out", "successor")
	require.NoError(t, successor.CommitTxn())
	require.NoError(t, producer.BeginTxn())
	_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: "out", Value: sarama.StringEncoder("zombie")})
	require.Error(t, err, "the successor fenced the producer")
	require.NotContains(t, values(brokertest.ReadAll(t, b.Addrs(), "out")), "zombie")
}

func TestOffsetsOfAnOpenTransactionAreNotStable(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	brokertest.CreateTopic(t, b.Addrs(), "in", 1)
	send(t, newProducer(t, b.Addrs(), saramaConfig()), "in", "0")
	take(t, b.Addrs(), "g", "in", 1)
	client, err := sarama.NewClient(b.Addrs(), saramaConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	id := "t"
	coordinator, err := client.TransactionCoordinator(id)
	require.NoError(t, err)

	producer, err := coordinator.InitProducerID(&sarama.InitProducerIDRequest{
		Version: 4, TransactionalID: &id, TransactionTimeout: time.Minute, ProducerID: -1, ProducerEpoch: -1,
	})
	require.NoError(t, err)
	require.Equal(t, sarama.ErrNoError, producer.Err)
	added, err := coordinator.AddOffsetsToTxn(&sarama.AddOffsetsToTxnRequest{
		Version: 2, TransactionalID: id, ProducerID: producer.ProducerID, ProducerEpoch: producer.ProducerEpoch, GroupID: "g",
	})
	require.NoError(t, err)
	require.Equal(t, sarama.ErrNoError, added.Err)
	staged, err := coordinator.TxnOffsetCommit(&sarama.TxnOffsetCommitRequest{
		Version: 2, TransactionalID: id, GroupID: "g", ProducerID: producer.ProducerID, ProducerEpoch: producer.ProducerEpoch,
		Topics: map[string][]*sarama.PartitionOffsetMetadata{"in": {{Partition: 0, Offset: 5}}},
	})
	require.NoError(t, err)
	require.Equal(t, sarama.ErrNoError, staged.Topics["in"][0].Err)

	require.Equal(t, sarama.ErrUnstableOffsetCommit, stableOffset(t, b.Addrs()).Err)
	ended, err := coordinator.EndTxn(&sarama.EndTxnRequest{
		Version: 2, TransactionalID: id, ProducerID: producer.ProducerID, ProducerEpoch: producer.ProducerEpoch, TransactionResult: true,
	})
	require.NoError(t, err)
	require.Equal(t, sarama.ErrNoError, ended.Err)
	require.Equal(t, int64(5), stableOffset(t, b.Addrs()).Offset)
}

// stableOffset asks for what the group g has committed of topic in, and wants
// no offset that a transaction may still change.
func stableOffset(t testing.TB, addrs []string) *sarama.OffsetFetchResponseBlock {
	t.Helper()
	client, err := sarama.NewClient(addrs, saramaConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	coordinator, err := client.Coordinator("g")
	require.NoError(t, err)
	request := sarama.NewOffsetFetchRequest(sarama.MaxVersion, "g", map[string][]int32{"in": {0}})
	request.RequireStable = true
	response, err := coordinator.FetchOffset(request)
	require.NoError(t, err)
	require.Equal(t, sarama.ErrNoError, response.Err)
	return response.GetBlock("in", 0)
}
