package produce_test

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// A partition that has nothing to do keeps nothing of what it has sent.
func TestIdlePartitionsLetGo(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newProducer(t, c.ListenAddrs(), produce.Config{})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	type payload [1000]byte
	send := func() weak.Pointer[payload] {
		value := new(payload)
		require.NoError(t, p.Enqueue(topic, []client.Output{{Value: value[:], Headers: []client.Header{{Key: value[:1]}}}}))
		require.NoError(t, p.Flush(within(t)))
		return weak.Make(value)
	}
	sent := send()
	require.Eventually(t, func() bool {
		runtime.GC()
		return sent.Value() == nil
	}, patience, 50*time.Millisecond)
	runtime.KeepAlive(p)
}
