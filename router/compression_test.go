//go:build kafka

package router_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// What stages produce is stored in the codec that was asked for.
func TestRealCompression(t *testing.T) {
	addrs := kafkatest.Brokers(t)
	numbers := map[kafka.Compression]uint8{"": 0, kafka.Gzip: 1, kafka.Snappy: 2, kafka.LZ4: 3, kafka.Zstd: 4}
	for codec, number := range numbers {
		p, name := named(t, twoStagesOf)
		r := start(t, addrs, p, router.Config{Compression: codec})
		brokertest.Produce(t, addrs, name+".in", numbered(10, 50)...)
		r.drained()
		r.stop()
		requireSequences(t, brokertest.ReadAll(t, addrs, name+".second"), 10, 50)

		reader, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(name+".second"))
		require.NoError(t, err)
		fetches := reader.PollFetches(t.Context())
		reader.Close()
		require.NoError(t, fetches.Err())
		for _, rec := range fetches.Records() {
			require.Equal(t, number, rec.Attrs.CompressionType(), "codec %q", codec)
		}
	}
}
