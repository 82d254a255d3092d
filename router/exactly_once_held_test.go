package router_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// A message that is poisoned and holds its key does both in one transaction. The
// replay, which an operator writes without one, takes its place, and the key has its
// order, each message once.
func TestExactlyOnceAHeldKeyGoesOnWithItsReplay(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	r := start(t, addrs, failing(&accept, append(holding(), pipeline.ExactlyOnce())...), router.Config{})
	key := []byte("k")
	brokertest.Produce(t, addrs, "laned.in", brokertest.Record{Key: key, Value: []byte("bad")}, brokertest.Record{Key: key, Value: []byte("behind")})
	r.drained()
	require.Empty(t, brokertest.ReadCommitted(t, addrs, "laned.work"))
	log := openPoison(t, addrs)
	require.Equal(t, router.PoisonHeld, statesOf(t, log)["0"])
	accept.Store(true)
	result, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Done: 1, Released: 1}, result)
	require.Eventually(t, func() bool { return len(brokertest.ReadCommitted(t, addrs, "laned.work")) == 2 }, waitFor, tick)
	r.drained()
	require.Equal(t, []string{"bad", "behind"}, values(brokertest.ReadCommitted(t, addrs, "laned.work")))
}
