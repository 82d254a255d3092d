//go:build kafka

package produce_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// recent is quick with the protocol of the Kafka that is tested against.
func recent() *sarama.Config {
	c := quick()
	c.Version = sarama.V4_0_0_0
	return c
}

// read returns the numbers of each partition of a topic.
func read(t *testing.T, addrs []string, topic string) map[int32][]int64 {
	t.Helper()
	log := map[int32][]int64{}
	for _, r := range brokertest.ReadAll(t, addrs, topic) {
		log[r.Partition] = append(log[r.Partition], int64(binary.BigEndian.Uint64(r.Value)))
	}
	return log
}

// inOrder are the numbers that numbers gives to a partition.
func inOrder(to, partition, partitions int64) (want []int64) {
	for n := partition; n < to; n += partitions {
		want = append(want, n)
	}
	return want
}

// write enqueues numbers up to, not including, to, some at a time, and closes
// the producer.
func write(t *testing.T, cfg produce.Config, topic string, to, some, partitions int64) {
	t.Helper()
	p := newProducer(t, nil, cfg)
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	for from := int64(0); from < to; from += some {
		outs := numbers(from, min(from+some, to))
		for i := range outs {
			outs[i].Partition = int32((from + int64(i)) % partitions)
		}
		require.NoError(t, p.Enqueue(topic, outs))
	}
	require.NoError(t, p.Close(within(t)))
}

func TestKafkaStoresInOrder(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	const count = 20_000
	for _, codec := range codecs {
		t.Run(codec.String(), func(t *testing.T) {
			topic := kafkatest.Topic(t, partitions)
			write(t, produce.Config{Client: newClient(t, addrs, recent()), Compression: codec}, topic, count, 100, partitions)
			log := read(t, addrs, topic)
			for id := range int32(partitions) {
				require.Equal(t, inOrder(count, int64(id), partitions), log[id])
			}
		})
	}
}

func TestKafkaManyPartitions(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	const count, many = 20_000, 200
	topic := kafkatest.Topic(t, many)
	write(t, produce.Config{Client: newClient(t, addrs, recent())}, topic, count, 1000, many)
	log := read(t, addrs, topic)
	for id := range int32(many) {
		require.Equal(t, inOrder(count, int64(id), many), log[id])
	}
}

func TestKafkaKeepsRecords(t *testing.T) {
	testRecords(t, kafkatest.Brokers(t), kafkatest.Topic(t, 1))
}

// The largest output that is let through is stored, whatever the topic does
// with the codec of the batch.
func TestKafkaLimits(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	for _, codec := range codecs {
		for _, stored := range []string{"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"} {
			t.Run(codec.String()+" to "+stored, func(t *testing.T) {
				topic := kafkatest.Topic(t, 1, "max.message.bytes=100000", "compression.type="+stored)
				testLimits(t, addrs, topic, codec)
			})
		}
	}
}

// A batch that only compression makes small enough is none that a topic takes
// for sure: what it stores uncompressed it measures so.
func TestKafkaMeasuresWhatItStores(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	topic := kafkatest.Topic(t, 1, "max.message.bytes=100000", "compression.type=uncompressed")
	p := newProducer(t, nil, produce.Config{Client: newClient(t, addrs, recent()), Compression: sarama.CompressionZSTD})
	info, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.Less(t, info.MaxBytes, 100_000)
	for range 50 { // several to a batch, as far as they fit
		require.NoError(t, p.Enqueue(topic, []client.Output{{Value: make([]byte, 30_000)}}))
	}
	require.NoError(t, p.Close(within(t)))
	require.Len(t, brokertest.ReadAll(t, addrs, topic), 50)
}

// Sequence numbers go on at 0 after 2^31-1, within a batch and between two.
func TestKafkaSequencesGoOnAfterTheirEnd(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	topic := kafkatest.Topic(t, 1)
	for _, first := range []int32{math.MaxInt32 - 4, math.MaxInt32 - 5} {
		brokertest.Produce(t, addrs, topic, brokertest.Record{}) // an empty log takes no sequence but 0
		p := newProducer(t, nil, produce.Config{Client: newClient(t, addrs, recent())})
		_, err := p.Prepare(within(t), topic)
		require.NoError(t, err)
		p.StartSequencesAt(first)
		for range 6 {
			require.NoError(t, p.Enqueue(topic, make([]client.Output, 3)))
			require.NoError(t, p.Flush(within(t)))
		}
		require.NoError(t, p.Close(within(t)))
	}
	require.Len(t, brokertest.ReadAll(t, addrs, topic), 2*(1+18))
}

// Connections that are cut around an answer make the producer send again, and
// the broker keeps no repeat.
func TestKafkaDropsRepeats(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	for name, mode := range map[string]wireMode{"cut before": cutBefore, "cut half": cutHalf, "cut applied": cutApplied} {
		t.Run(name, func(t *testing.T) {
			topic := kafkatest.Topic(t, partitions)
			w := &wire{every: 5}
			w.set(mode)
			conf := recent()
			conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, w
			p := newProducer(t, nil, produce.Config{Client: newClient(t, addrs, recent()), Sarama: conf})
			_, err := p.Prepare(within(t), topic)
			require.NoError(t, err)
			const count = 300
			for n := int64(0); n < count; n += partitions {
				require.NoError(t, p.Enqueue(topic, numbers(n, n+partitions)))
				require.NoError(t, p.Flush(within(t)))
			}
			require.NoError(t, p.Close(within(t)))
			require.Positive(t, w.hits.Load())
			log := read(t, addrs, topic)
			for id := range int32(partitions) {
				require.Equal(t, inOrder(count, int64(id), partitions), log[id])
			}
		})
	}
}

func TestKafkaTransactions(t *testing.T) {
	testTransactions(t, kafkatest.Brokers(t), kafkatest.Topic(t, partitions))
}

func TestKafkaTakeOver(t *testing.T) {
	testTakeOver(t, kafkatest.Brokers(t), kafkatest.Topic(t, partitions))
}

// Transactions one right after the other: the broker is still ending the one
// before when the next begins.
func TestKafkaTransactionsInARow(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	topic := kafkatest.Topic(t, partitions)
	m := joinGroup(t, addrs, "g-"+topic, topic)
	p := newTransactional(t, addrs, topic, produce.Config{Client: newClient(t, addrs, recent())})
	const each, count = 30, 50
	for i := range int64(count) {
		transact(t, p, topic, each*i, each*(i+1), m, each*(i+1), true)
	}
	require.NoError(t, p.Close(within(t)))
	requireSeen(t, addrs, topic, once(each*count))
	require.Equal(t, int64(each*count), committed(t, addrs, "g-"+topic, topic))
}
