//go:build kafka

package brokertest_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
)

// The checkers of other tests rely on these helpers against a real Kafka too.
func TestTheHelpersWorkOnARealKafka(t *testing.T) {
	t.Parallel()
	addrs := kafkatest.Brokers(t)
	topic := "brokertest-" + rand.Text()

	brokertest.CreateTopic(t, addrs, topic+"-a", 3)
	require.Empty(t, brokertest.ReadAll(t, addrs, topic+"-a"))
	readsBack(t, addrs, topic+"-a")

	brokertest.CreateTopic(t, addrs, topic+"-b", 1)
	readsCommitted(t, addrs, topic+"-b")

	brokertest.CreateTopic(t, addrs, topic+"-c", 1, "max.message.bytes=3000000")
	brokertest.Produce(t, addrs, topic+"-c", brokertest.Record{Value: make([]byte, 2_900_000)})
	require.Len(t, brokertest.ReadAll(t, addrs, topic+"-c"), 1)
}
