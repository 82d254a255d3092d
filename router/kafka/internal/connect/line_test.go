package connect_test

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// A line is one connection to one broker at a time: the same until it is lost or leads
// elsewhere, and none when its gate is shut.
func TestALineLeadsWhereItIsAsked(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(2))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	conf := slow()
	gate := connect.NewGate(conf)
	line := connect.NewLine(conf, gate)
	to := func(addr string) *sarama.Broker {
		t.Helper()
		b, err := line.To(addr)
		require.NoError(t, err)
		_, err = b.GetMetadata(&sarama.MetadataRequest{})
		require.NoError(t, err)
		return b
	}
	connected := func(b *sarama.Broker) bool {
		ok, _ := b.Connected()
		return ok
	}
	one, other := c.ListenAddrs()[0], c.ListenAddrs()[1]
	first := to(one)
	require.Same(t, first, to(one))

	line.Lost(first)
	second := to(one)
	require.NotSame(t, first, second)
	line.Lost(first) // by somebody who was late
	require.Same(t, second, to(one))

	third := to(other)
	require.Eventually(t, func() bool { return !connected(first) && !connected(second) }, patience, patience/1000, "what leads elsewhere is closed")

	gate.Shut()
	_, err = line.To(other)
	require.ErrorIs(t, err, connect.ErrCut)
	line.Close()
	require.False(t, connected(third))
}
