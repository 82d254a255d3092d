package broker_test

import (
	"crypto/rand"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// heap returns the bytes that are in use on the heap.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// fill writes megabytes of records of ten kilobytes to the topic.
func fill(t testing.TB, addrs []string, topic string, megabytes int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(100))
	require.NoError(t, err)
	defer client.Close()
	value := make([]byte, 10_000)
	_, _ = rand.Read(value)
	var failed atomic.Pointer[error]
	for range megabytes * 100 {
		client.Produce(t.Context(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	require.NoError(t, client.Flush(t.Context()))
	require.Nil(t, failed.Load())
}

// Not parallel: it looks at the heap of the whole process.
func TestRecordsDoNotStayInMemory(t *testing.T) {
	const megabytes = 200
	config := broker.Config{Dir: t.TempDir()}
	b := start(t, config)
	brokertest.CreateTopic(t, b.Addrs(), "a", 4)
	before := heap()

	fill(t, b.Addrs(), "a", megabytes)
	grown := heap() - before
	t.Logf("%d MB written, the heap has grown by %.1f MB", megabytes, float64(grown)/1e6)
	require.Less(t, grown, int64(megabytes)*1e6/10)

	require.NoError(t, b.Close())
	b = start(t, config)
	grown = heap() - before
	t.Logf("after a restart it has grown by %.1f MB", float64(grown)/1e6)
	require.Less(t, grown, int64(megabytes)*1e6/10)
	require.Positive(t, b.Cluster().PartitionInfo("a", 0).HighWatermark)
}
