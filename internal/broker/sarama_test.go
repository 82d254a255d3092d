package broker_test

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// The transport is built on sarama: what it needs is tried here on the newest
// version of the protocol that sarama speaks.

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	// A fetch that waits for records holds up what comes after it on its
	// connection: heartbeats and commits too.
	config.Consumer.MaxWaitTime = 20 * time.Millisecond
	config.Consumer.Group.Session.Timeout = time.Second // the shortest that the broker takes
	config.Consumer.Group.Heartbeat.Interval = 100 * time.Millisecond
	return config
}

// idempotent makes the configuration one of an idempotent producer.
func idempotent(config *sarama.Config) *sarama.Config {
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	return config
}

func newAdmin(t testing.TB, addrs []string) sarama.ClusterAdmin {
	t.Helper()
	admin, err := sarama.NewClusterAdmin(addrs, saramaConfig())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	return admin
}

func newProducer(t testing.TB, addrs []string, config *sarama.Config) sarama.SyncProducer {
	t.Helper()
	producer, err := sarama.NewSyncProducer(addrs, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = producer.Close() })
	return producer
}

func send(t testing.TB, producer sarama.SyncProducer, topic string, values ...string) {
	t.Helper()
	for _, v := range values {
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(v)})
		require.NoError(t, err)
	}
}

func values(records []brokertest.Record) []string {
	var values []string
	for _, r := range records {
		values = append(values, string(r.Value))
	}
	return values
}

func TestTopicsThroughSarama(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{Dir: t.TempDir()})
	admin := newAdmin(t, b.Addrs())

	limit := "2000"
	require.NoError(t, admin.CreateTopic("limited", &sarama.TopicDetail{
		NumPartitions: 2, ReplicationFactor: 1, ConfigEntries: map[string]*string{"max.message.bytes": &limit},
	}, false))
	require.NoError(t, admin.CreateTopic("plain", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false))

	topics, err := admin.DescribeTopics([]string{"limited", "plain"})
	require.NoError(t, err)
	require.NotEqual(t, sarama.Uuid{}, topics[0].Uuid, "a topic has an id")
	require.NotEqual(t, topics[0].Uuid, topics[1].Uuid)

	require.Equal(t, "2000", maxMessageBytes(t, admin, "limited"))
	require.Equal(t, "1048588", maxMessageBytes(t, admin, "plain"), "the default is told too")

	require.NoError(t, admin.CreatePartitions("limited", 4, nil, false))
	topics, err = admin.DescribeTopics([]string{"limited"})
	require.NoError(t, err)
	require.Len(t, topics[0].Partitions, 4)

	topics, err = admin.DescribeTopics([]string{"missing"})
	require.NoError(t, err)
	require.ErrorIs(t, topics[0].Err, sarama.ErrUnknownTopicOrPartition, "no topic is made by asking for it")

	client, err := sarama.NewClient(b.Addrs(), saramaConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	metadata, err := client.LeastLoadedBroker().GetMetadata(&sarama.MetadataRequest{Version: 9})
	require.NoError(t, err)
	require.Equal(t, broker.ClusterID, *metadata.ClusterID)
}

func maxMessageBytes(t testing.TB, admin sarama.ClusterAdmin, topic string) string {
	t.Helper()
	resources, err := admin.DescribeConfigs([]*sarama.ConfigResource{
		{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"max.message.bytes"}},
	}, sarama.DescribeConfigsOptions{})
	require.NoError(t, err)
	require.Len(t, resources, 1)
	require.Len(t, resources[0].Configs, 1)
	return resources[0].Configs[0].Value
}

func TestATopicsLimitRefusesWhatIsLarger(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	brokertest.CreateTopic(t, b.Addrs(), "a", 1, "max.message.bytes=2000")
	brokertest.CreateTopic(t, b.Addrs(), "large", 1, "max.message.bytes=3000000")
	brokertest.CreateTopic(t, b.Addrs(), "plain", 1)
	config := saramaConfig()
	config.Producer.MaxMessageBytes = 10_000_000
	producer := newProducer(t, b.Addrs(), config)

	for _, c := range []struct {
		topic string
		size  int
		want  error
	}{
		{"a", 1800, nil},
		{"a", 2001, sarama.ErrMessageSizeTooLarge},
		{"plain", 1_000_000, nil},
		{"plain", 1_100_000, sarama.ErrMessageSizeTooLarge},
		{"large", 2_900_000, nil},
		{"large", 3_000_001, sarama.ErrMessageSizeTooLarge},
	} {
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: c.topic, Value: sarama.ByteEncoder(make([]byte, c.size))})
		require.ErrorIs(t, err, c.want, "%d bytes to %s", c.size, c.topic)
	}
}

func TestDeletedRecordsAreGone(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	send(t, newProducer(t, b.Addrs(), saramaConfig()), "a", "0", "1", "2")

	require.NoError(t, newAdmin(t, b.Addrs()).DeleteRecords("a", map[int32]int64{0: 2}))

	require.Equal(t, []string{"2"}, values(brokertest.ReadAll(t, b.Addrs(), "a")))
}

func TestAnIdempotentProducerThatIsToldNothingStoresOnce(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("a", 1))
	producer := newProducer(t, b.Addrs(), idempotent(saramaConfig()))
	send(t, producer, "a", "before")

	storedButLost := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut})
	send(t, producer, "a", "once")

	require.Equal(t, 1, storedButLost.Hits(), "the fault came to pass")
	require.Equal(t, []string{"before", "once"}, values(brokertest.ReadAll(t, b.Addrs(), "a")))
}

// member is a member of a consumer group that takes n records, marks them with
// the metadata, commits and leaves.
type member struct {
	n        int
	metadata string
	taken    []string
	enough   context.CancelFunc
}

func (*member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			m.taken = append(m.taken, string(message.Value))
			session.MarkMessage(message, m.metadata)
			if len(m.taken) == m.n {
				session.Commit()
				m.enough()
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

// take joins the group, takes n records of a topic with one partition and
// returns their values.
func take(t testing.TB, addrs []string, group, topic string, n int) []string {
	t.Helper()
	members, err := sarama.NewConsumerGroup(addrs, group, saramaConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, members.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m := &member{n: n, metadata: "taken", enough: cancel}
	require.NoError(t, members.Consume(ctx, []string{topic}, m))
	require.Len(t, m.taken, n, "the group did not get what it waits for")
	return m.taken
}

func TestAGroupGoesOnWhereItsLastMemberCommitted(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	brokertest.CreateTopic(t, b.Addrs(), "a", 1)
	send(t, newProducer(t, b.Addrs(), saramaConfig()), "a", "0", "1", "2", "3")

	require.Equal(t, []string{"0", "1"}, take(t, b.Addrs(), "g", "a", 2))
	require.Equal(t, []string{"2", "3"}, take(t, b.Addrs(), "g", "a", 2))
	require.Equal(t, []string{"0"}, take(t, b.Addrs(), "another", "a", 1))

	offsets, err := newAdmin(t, b.Addrs()).ListConsumerGroupOffsets("g", map[string][]int32{"a": {0}})
	require.NoError(t, err)
	require.Equal(t, int64(4), offsets.GetBlock("a", 0).Offset)
	require.Equal(t, "taken", offsets.GetBlock("a", 0).Metadata)
}

func TestOldAndNewProtocolVersionsOfSaramaAreServed(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{})
	for _, version := range []sarama.KafkaVersion{sarama.V2_1_0_0, sarama.V2_8_0_0, sarama.V3_6_0_0, sarama.V4_0_0_0, sarama.MaxVersion} {
		t.Run(version.String(), func(t *testing.T) {
			t.Parallel()
			brokertest.CreateTopic(t, b.Addrs(), version.String(), 1)
			config := idempotent(saramaConfig())
			config.Version = version
			send(t, newProducer(t, b.Addrs(), config), version.String(), "a")
			consumer, err := sarama.NewConsumer(b.Addrs(), config)
			require.NoError(t, err)
			defer func() { require.NoError(t, consumer.Close()) }()
			claim, err := consumer.ConsumePartition(version.String(), 0, sarama.OffsetOldest)
			require.NoError(t, err)
			require.Equal(t, "a", string((<-claim.Messages()).Value))
			require.NoError(t, claim.Close())
		})
	}
}
