package broker_test

import (
	"os"
	"path/filepath"
	"strings"
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

// A broker asked for the first record of an age looks into one segment only, and
// may find none there though there are some in later ones.
func TestRetentionTakesNothingThatIsYoungEnough(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{Dir: t.TempDir(), RetentionInterval: 10 * time.Millisecond})
	brokertest.CreateTopic(t, b.Addrs(), "a", 1, "segment.bytes=100") // two records a segment
	brokertest.CreateTopic(t, b.Addrs(), "b", 1)
	young := brokertest.Record{Value: []byte("young")}
	for _, record := range []brokertest.Record{young, old("old"), young} {
		brokertest.Produce(t, b.Addrs(), "a", record)
	}
	require.NoError(t, newAdmin(t, b.Addrs()).DeleteRecords("a", map[int32]int64{0: 1}))

	brokertest.Produce(t, b.Addrs(), "b", old("old"))
	require.Eventually(t, func() bool {
		return b.Cluster().PartitionInfo("b", 0).LogStartOffset == 1
	}, 10*time.Second, time.Millisecond, "retention has looked at both topics")
	require.Equal(t, []string{"old", "young"}, values(brokertest.ReadAll(t, b.Addrs(), "a")))
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
	for _, topic := range []string{"expired", "deleted/ö"} {
		brokertest.CreateTopic(t, b.Addrs(), topic, 1)
	}
	brokertest.Produce(t, b.Addrs(), "expired", old("0"), old("1"))
	brokertest.Produce(t, b.Addrs(), "deleted/ö", old("0"))
	admin := newAdmin(t, b.Addrs())
	brokertest.Produce(t, b.Addrs(), "deleted/ö", brokertest.Record{}, brokertest.Record{})
	require.NoError(t, admin.DeleteRecords("deleted/ö", map[int32]int64{0: -1}))
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
	admin := newAdmin(t, c.addrs)
	for _, topic := range []string{"a", "remade"} {
		brokertest.CreateTopic(t, c.addrs, topic, 1, "retention.ms=-1")
		brokertest.Produce(t, c.addrs, topic, brokertest.Record{}, brokertest.Record{})
		require.NoError(t, admin.DeleteRecords(topic, map[int32]int64{0: -1}))
		require.Eventually(t, func() bool {
			ends, err := os.ReadFile(filepath.Join(dir, "log-ends.json"))
			return err == nil && strings.Contains(string(ends), `"`+topic+`"`)
		}, 10*time.Second, time.Millisecond)
	}
	require.NoError(t, admin.DeleteTopic("remade"))
	brokertest.CreateTopic(t, c.addrs, "remade", 1)
	c.kill()

	b := start(t, broker.Config{Dir: dir})
	require.Zero(t, b.Cluster().PartitionInfo("remade", 0).HighWatermark, "a topic that is made anew begins at 0")
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "a"))
	send(t, newProducer(t, b.Addrs(), saramaConfig()), "a", "next")
	require.Equal(t, []string{"next"}, take(t, b.Addrs(), "g", "a", 1), "a reader passes the batch without records")
	require.Equal(t, int64(2), brokertest.ReadAll(t, b.Addrs(), "a")[0].Offset)
}
