package broker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// old is a record that is past the retention of a Kafka, a week.
func old(value string) brokertest.Record {
	return brokertest.Record{Value: []byte(value), Timestamp: time.Now().Add(-8 * 24 * time.Hour)}
}

func TestWhatIsPastRetentionGoes(t *testing.T) {
	t.Parallel()
	config := broker.Config{Dir: t.TempDir(), RetentionInterval: 10 * time.Millisecond}
	b := start(t, config)
	brokertest.CreateTopic(t, b.Addrs(), "week", 1)
	brokertest.CreateTopic(t, b.Addrs(), "for good", 1, "retention.ms=-1")
	brokertest.CreateTopic(t, b.Addrs(), "hour", 1, "retention.ms=3600000")
	young := brokertest.Record{Value: []byte("young")}
	for _, topic := range []string{"week", "for good", "hour"} {
		brokertest.Produce(t, b.Addrs(), topic, old("old"))
		brokertest.Produce(t, b.Addrs(), topic, brokertest.Record{Value: []byte("hours"), Timestamp: time.Now().Add(-2 * time.Hour)})
		brokertest.Produce(t, b.Addrs(), topic, young)
		brokertest.Produce(t, b.Addrs(), topic, old("old, and late"))
	}
	read := func(topic string) []string { return values(brokertest.ReadAll(t, b.Addrs(), topic)) }
	starts := func(topic string, offset int64) {
		t.Helper()
		require.Eventually(t, func() bool {
			return b.Cluster().PartitionInfo(topic, 0).LogStartOffset == offset
		}, 10*time.Second, time.Millisecond)
	}

	starts("week", 1)
	starts("hour", 2)
	require.Equal(t, []string{"hours", "young", "old, and late"}, read("week"))
	require.Equal(t, []string{"young", "old, and late"}, read("hour"), "nothing goes before what is before it")
	require.Equal(t, []string{"old", "hours", "young", "old, and late"}, read("for good"))

	require.NoError(t, b.Close())
	b = start(t, config)
	brokertest.CreateTopic(t, b.Addrs(), "again", 1)
	brokertest.Produce(t, b.Addrs(), "again", old("old"))
	brokertest.Produce(t, b.Addrs(), "again", young)
	starts("again", 1)
	require.Equal(t, []string{"hours", "young", "old, and late"}, read("week"))
}

// A log that all records have left must not begin again at offset 0.
func TestAnEmptyLogKeepsItsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	end := func(t *testing.T, b *broker.Broker, topic string) int64 {
		t.Helper()
		return b.Cluster().PartitionInfo(topic, 0).HighWatermark
	}
	config := broker.Config{Dir: dir, RetentionInterval: 10 * time.Millisecond}
	b := start(t, config)
	for _, topic := range []string{"expired", "deleted/ö", "remade"} {
		brokertest.CreateTopic(t, b.Addrs(), topic, 1)
	}
	brokertest.Produce(t, b.Addrs(), "expired", old("0"), old("1"))
	brokertest.Produce(t, b.Addrs(), "deleted/ö", old("0"))
	admin := newAdmin(t, b.Addrs())
	for _, topic := range []string{"deleted/ö", "remade"} {
		brokertest.Produce(t, b.Addrs(), topic, brokertest.Record{}, brokertest.Record{})
		require.NoError(t, admin.DeleteRecords(topic, map[int32]int64{0: -1}))
	}
	require.Eventually(t, func() bool {
		return b.Cluster().PartitionInfo("expired", 0).LogStartOffset == 2
	}, 10*time.Second, time.Millisecond)

	for range 3 { // what is kept is kept again
		require.NoError(t, b.Close())
		b = start(t, config)
		require.Equal(t, int64(2), end(t, b, "expired"))
		require.Equal(t, int64(3), end(t, b, "deleted/ö"))
		require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "expired"))
	}

	admin = newAdmin(t, b.Addrs())
	require.NoError(t, admin.DeleteTopic("remade"))
	brokertest.CreateTopic(t, b.Addrs(), "remade", 1)
	require.NoError(t, b.Close())
	b = start(t, config)
	require.Zero(t, end(t, b, "remade"), "a topic that is made anew begins at 0")

	stored := brokertest.Produce(t, b.Addrs(), "expired", brokertest.Record{Value: []byte("next")})
	require.Equal(t, int64(2), stored[0].Offset)
	require.Equal(t, []string{"next"}, take(t, b.Addrs(), "g", "expired", 1))
	require.NoError(t, b.Close())
	b = start(t, config)
	require.Equal(t, []string{"next"}, values(brokertest.ReadAll(t, b.Addrs(), "expired")))
}

func TestAnEmptyLogKeepsItsEndOverAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir)
	brokertest.CreateTopic(t, c.addrs, "a", 1, "retention.ms=-1")
	brokertest.Produce(t, c.addrs, "a", brokertest.Record{}, brokertest.Record{})
	require.NoError(t, newAdmin(t, c.addrs).DeleteRecords("a", map[int32]int64{0: -1}))
	waitForFile(t, dir, "log-ends.json")
	c.kill()

	b := start(t, broker.Config{Dir: dir})
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "a"))
	send(t, newProducer(t, b.Addrs(), saramaConfig()), "a", "next")
	require.Equal(t, []string{"next"}, take(t, b.Addrs(), "g", "a", 1), "a reader passes the batch without records")
	require.Equal(t, int64(2), brokertest.ReadAll(t, b.Addrs(), "a")[0].Offset)
}
