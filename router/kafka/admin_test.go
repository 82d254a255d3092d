package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

func newAdmin(t testing.TB, addrs []string) *kafka.Admin {
	t.Helper()
	a, err := kafka.NewAdmin(within(t), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func TestAdminMakesAndDescribesTopics(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Brokers(3))
	a, ctx := newAdmin(t, b.Addrs()), within(t)
	n, err := a.Brokers(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	want := kafka.NewTopic{Name: "made", Partitions: 5, Replication: 1, Configs: map[string]string{"retention.ms": "1000"}}
	require.NoError(t, a.Create(ctx, want))
	require.NoError(t, a.Create(ctx, want), "somebody else was quicker")
	require.NoError(t, a.Create(ctx, kafka.NewTopic{Name: "defaults", Partitions: 1}))
	require.Error(t, a.Create(ctx, kafka.NewTopic{Name: "wrong", Partitions: 1, Replication: 100}), "more replicas than brokers")

	topics, err := a.Topics(ctx, "made", "absent")
	require.NoError(t, err)
	require.Len(t, topics, 1)
	made := topics["made"]
	require.Equal(t, 5, made.Partitions)
	require.Equal(t, 1, made.Replication)
	require.Equal(t, "1000", made.Configs["retention.ms"])
	require.NotEmpty(t, made.Configs["max.message.bytes"], "defaults are told too")
	require.Equal(t, b.Cluster().TopicInfo("made").TopicID, made.ID)

	require.NoError(t, a.Configure(ctx, "made", map[string]string{"max.message.bytes": "4000"}))
	require.NoError(t, a.AddPartitions(ctx, "made", 7))
	require.ErrorContains(t, a.AddPartitions(ctx, "absent", 7), "add partitions to topic absent")
	topics, err = a.Topics(ctx, "made")
	require.NoError(t, err)
	require.Equal(t, 7, topics["made"].Partitions)
	require.Equal(t, "4000", topics["made"].Configs["max.message.bytes"])
	require.Equal(t, "1000", topics["made"].Configs["retention.ms"], "others are left alone")

	names, err := a.TopicNames(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"defaults", "made"}, names)
	topics, err = a.Topics(ctx)
	require.NoError(t, err)
	require.Empty(t, topics)
}

func TestLagIsWhatIsNotCommitted(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 2), brokertest.Topic("out", 1))
	a, ctx := newAdmin(t, b.Addrs()), within(t)
	brokertest.ProduceTo(t, b.Addrs(), "in", 0, make([]brokertest.Record, 10)...)
	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 4))
	lags, err := a.Lag(ctx, group, "in")
	require.NoError(t, err)
	require.Equal(t, []kafka.Lag{
		{Topic: "in", Partition: 0, Start: 4, Committed: -1, End: 10},
		{Topic: "in", Partition: 1, Start: 0, Committed: -1, End: 0},
	}, lags)
	require.EqualValues(t, 6, lags[0].Behind())
	require.EqualValues(t, 0, lags[1].Behind())

	m := join(t, quick(b.Addrs()), copied(20))
	until(t, func() bool { return committed(b)[0] == 10 }, "not caught up")
	m.leave()
	brokertest.ProduceTo(t, b.Addrs(), "in", 0, make([]brokertest.Record, 3)...)
	lags, err = a.Lag(ctx, group, "in")
	require.NoError(t, err)
	require.EqualValues(t, 3, lags[0].Behind())

	_, err = a.Lag(ctx, group, "absent")
	require.ErrorContains(t, err, "absent")
}

// The marker that ends a transaction is no record, and no lag once it is passed.
func TestAGroupIsDoneWithMarkers(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	c := transactions(t, b.Addrs(), "one")
	begin(t, c, "a", "b")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryCommit))
	join(t, quick(b.Addrs()), copied(20))
	until(t, func() bool { return committed(b)[0] == 3 }, "not caught up")
	lags, err := newAdmin(t, b.Addrs()).Lag(within(t), group, "in")
	require.NoError(t, err)
	require.Zero(t, lags[0].Behind())
}

// A name that nobody has made is an error, and is not made.
func TestNothingMakesTopicsByTheWay(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	require.Error(t, newPublisher(t, publisherTo(b.Addrs())).Send(t.Context(), kafka.Output{Topic: "misspelt"}))
	names, err := newAdmin(t, b.Addrs()).TopicNames(within(t))
	require.NoError(t, err)
	require.Equal(t, []string{"in", "out"}, names)
}
