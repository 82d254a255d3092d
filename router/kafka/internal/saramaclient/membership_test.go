package saramaclient

import (
	"sync/atomic"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
)

// sarama's consumer of a claim, before it is told to be idle, can fetch nothing.
func TestSaramaHasNobodyToFetchFrom(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1))
	var asked atomic.Int32
	for _, key := range []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets} {
		b.Cluster().ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.Cluster().KeepControl()
			asked.Add(1)
			return nil, nil, false //nolint:nilnil // the broker answers it
		})
	}
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V4_0_0_0
	cfg.Consumer.Return.Errors = true
	conn, err := Dial(t.Context(), b.Addrs(), cfg)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	consumer, err := sarama.NewConsumerFromClient(newMembership(conn))
	require.NoError(t, err)
	for _, offset := range []int64{sarama.OffsetOldest, 1 << 40} {
		claim, err := consumer.ConsumePartition("in", 0, offset)
		require.NoError(t, err)
		select {
		case err := <-claim.Errors():
			require.ErrorIs(t, err, sarama.ErrNotConnected)
		case <-soon(t).Done():
			require.Fail(t, "it does not say that it cannot fetch")
		}
		_ = claim.Close()
	}
	require.Zero(t, asked.Load())
}
