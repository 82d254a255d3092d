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

// What an output points to is let go when it is enqueued, though it is not sent
// yet; and its owner when its fate was told.
func TestPartitionsLetGo(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newProducer(t, c.ListenAddrs(), produce.Config{Linger: time.Hour})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	type payload [1000]byte
	enqueue := func() (value, owner weak.Pointer[payload]) {
		v, o := new(payload), new(payload)
		require.NoError(t, p.Enqueue(topic, []client.Output{{
			Ticket: client.Ticket{Owner: o}, Value: v[:], Headers: []client.Header{{Key: v[:1]}},
		}}))
		return weak.Make(v), weak.Make(o)
	}
	gone := func(p weak.Pointer[payload]) func() bool {
		return func() bool {
			runtime.GC()
			return p.Value() == nil
		}
	}
	value, owner := enqueue()
	require.Eventually(t, gone(value), patience, 50*time.Millisecond)
	require.NotNil(t, owner.Value(), "it waits for the fate")
	require.NoError(t, p.Flush(within(t)))
	require.Eventually(t, gone(owner), patience, 50*time.Millisecond)
	runtime.KeepAlive(p)
}
