package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

// benchmarkEach runs the benchmark for each way of keeping records. The figures
// are good for their ratios only.
func benchmarkEach(b *testing.B, benchmark func(b *testing.B, client *kgo.Client, record func() *kgo.Record)) {
	b.Helper()
	for _, c := range []struct {
		name            string
		onDisk, flushed bool
	}{
		{name: "memory"},
		{name: "directory", onDisk: true},
		{name: "directory-synced", onDisk: true, flushed: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			config := broker.Config{SyncWrites: c.flushed}
			if c.onDisk {
				config.Dir = b.TempDir()
			}
			running := start(b, config)
			brokertest.CreateTopic(b, running.Addrs(), "a", 4)
			client, err := kgo.NewClient(kgo.SeedBrokers(running.Addrs()...), kgo.DefaultProduceTopic("a"), kgo.ProducerLinger(0))
			require.NoError(b, err)
			defer client.Close()
			value := make([]byte, 200)
			b.ReportAllocs()
			benchmark(b, client, func() *kgo.Record { return &kgo.Record{Value: value} })
		})
	}
}

// BenchmarkProduce tells what a record costs among many.
func BenchmarkProduce(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, client *kgo.Client, record func() *kgo.Record) {
		b.Helper()
		for b.Loop() {
			client.Produce(b.Context(), record(), func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		}
		require.NoError(b, client.Flush(b.Context()))
	})
}

// BenchmarkAcknowledge tells how long a producer waits for one record.
func BenchmarkAcknowledge(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, client *kgo.Client, record func() *kgo.Record) {
		b.Helper()
		for b.Loop() {
			require.NoError(b, client.ProduceSync(b.Context(), record()).FirstErr())
		}
	})
}
