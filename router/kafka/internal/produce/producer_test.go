package produce_test

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

var codecs = []sarama.CompressionCodec{
	sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
}

func TestEnqueueTakesAllOrNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newProducer(t, c.ListenAddrs(), produce.Config{})
	require.Error(t, p.Enqueue(topic, numbers(0, 3)), "not prepared")
	info, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.Equal(t, partitions, info.Partitions)

	require.NoError(t, p.Enqueue(topic, nil))
	require.Error(t, p.Enqueue(topic, append(numbers(0, 3), client.Output{Partition: partitions})))
	require.Error(t, p.Enqueue(topic, append(numbers(0, 3), client.Output{Partition: -1})))
	err = p.Enqueue(topic, append(numbers(0, 3), client.Output{Value: make([]byte, info.MaxBytes)}))
	var large *client.TooLargeError
	require.ErrorAs(t, err, &large)
	require.Equal(t, topic, large.Topic)
	require.Equal(t, info.MaxBytes, large.Limit)
	require.Greater(t, large.Size, large.Limit)

	require.NoError(t, p.Close(within(t)))
	require.ErrorIs(t, p.Enqueue(topic, numbers(0, 3)), client.ErrClosed)
	_, err = p.Prepare(within(t), topic)
	require.ErrorIs(t, err, client.ErrClosed)
	require.Empty(t, brokertest.ReadAll(t, c.ListenAddrs(), topic))
}

// The largest output that Takes lets through is stored, whatever the codec and
// although it cannot be compressed; and a queue of small ones is cut to what
// the topic takes.
func TestLimitsOfTheTopic(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for _, codec := range codecs {
		name := "limit-" + codec.String()
		limit := "100000"
		require.NoError(t, c.CreateTopic(name, 1, map[string]string{"max.message.bytes": limit}))
		testLimits(t, c.ListenAddrs(), name, codec)
	}
}

func testLimits(t *testing.T, addrs []string, name string, codec sarama.CompressionCodec) {
	t.Helper()
	p := newProducer(t, addrs, produce.Config{Compression: codec})
	info, err := p.Prepare(within(t), name)
	require.NoError(t, err)
	largest := client.Output{Value: noise(info.MaxBytes)}
	for !info.Takes(&largest) {
		largest.Value = largest.Value[1:]
	}
	require.NoError(t, p.Enqueue(name, []client.Output{largest}))
	over := client.Output{Value: append(slices.Clip(largest.Value), 0)}
	var large *client.TooLargeError
	require.ErrorAs(t, p.Enqueue(name, []client.Output{over}), &large)

	const small, size = 300, 999
	for range small {
		require.NoError(t, p.Enqueue(name, []client.Output{{Value: noise(size)}}))
	}
	require.NoError(t, p.Close(within(t)))
	got := brokertest.ReadAll(t, addrs, name)
	require.Len(t, got, 1+small)
	require.Equal(t, largest.Value, got[0].Value)
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// What is read back is what was enqueued: nil, empty, headers that repeat, times.
func TestRecordsAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	testRecords(t, c.ListenAddrs(), topic)
}

func testRecords(t *testing.T, addrs []string, topic string) {
	t.Helper()
	for _, codec := range codecs {
		p := newProducer(t, addrs, produce.Config{Compression: codec})
		_, err := p.Prepare(within(t), topic)
		require.NoError(t, err)
		at := time.UnixMilli(1_700_000_000_123)
		outs := []client.Output{
			{Time: at},
			{Time: at.Add(-time.Second), Key: []byte{}, Value: []byte{}},
			{Time: at, Key: []byte("key"), Value: []byte(codec.String()), Headers: []client.Header{
				{Key: []byte("a"), Value: []byte("1")},
				{Key: []byte("a"), Value: nil},
				{Key: nil, Value: []byte{}},
			}},
			{Value: []byte("now")},
		}
		before := time.Now().Truncate(time.Millisecond)
		require.NoError(t, p.Enqueue(topic, outs))
		require.NoError(t, p.Close(within(t)))

		got := brokertest.ReadAll(t, addrs, topic)
		got = got[len(got)-len(outs):]
		require.Nil(t, got[0].Key)
		require.Nil(t, got[0].Value)
		require.True(t, got[0].Timestamp.Equal(at))
		require.Equal(t, []byte{}, got[1].Key)
		require.Equal(t, []byte{}, got[1].Value)
		require.True(t, got[1].Timestamp.Equal(at.Add(-time.Second)))
		require.Equal(t, "key", string(got[2].Key))
		require.Equal(t, codec.String(), string(got[2].Value))
		require.Equal(t, []brokertest.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{}}}, got[2].Headers)
		require.WithinRange(t, got[3].Timestamp, before, time.Now())
	}
}

func TestPrepareSeesNewPartitions(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	cl := newClient(t, c.ListenAddrs(), quick())
	p := newProducer(t, c.ListenAddrs(), produce.Config{Client: cl})
	_, err := p.Prepare(within(t), "missing")
	require.ErrorIs(t, err, sarama.ErrUnknownTopicOrPartition)
	_, err = p.Prepare(within(t), topic)
	require.NoError(t, err)

	admin, err := sarama.NewClusterAdminFromClient(newClient(t, c.ListenAddrs(), quick()))
	require.NoError(t, err)
	require.NoError(t, admin.CreatePartitions(topic, partitions+2, nil, false))
	info, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.Equal(t, partitions, info.Partitions, "what was said just now is taken for true")
	p.Age(produce.TopicMaxAge)
	info, err = p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.Equal(t, partitions+2, info.Partitions)
	require.NoError(t, p.Enqueue(topic, []client.Output{{Partition: partitions + 1}}))
	require.NoError(t, p.Close(within(t)))
	require.Len(t, brokertest.ReadAll(t, c.ListenAddrs(), topic), 1)
}

// Flush ends a linger, waits for what was enqueued before it, and for nothing
// that came after.
func TestFlush(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	var stored atomic.Int64
	p := newProducer(t, c.ListenAddrs(), produce.Config{
		Linger: time.Hour, Done: func(r client.Result) { stored.Add(int64(len(r.Outputs))) },
	})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Flush(within(t)), "nothing to wait for")
	require.NoError(t, p.Enqueue(topic, numbers(0, 30)))
	require.Zero(t, stored.Load(), "it lingers")
	var flushes sync.WaitGroup
	for range 5 {
		flushes.Go(func() { require.NoError(t, p.Flush(within(t))) })
	}
	flushes.Wait()
	require.Equal(t, int64(30), stored.Load())

	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	require.NoError(t, p.Enqueue(topic, numbers(30, 33)))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Flush(ctx), context.DeadlineExceeded)
	h.Remove()
	require.NoError(t, p.Close(within(t)))
	require.NoError(t, p.Close(within(t)), "again")
	require.Equal(t, int64(33), stored.Load())
}
