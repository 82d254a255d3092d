package router_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
)

// A process that was frozen on its way into a partition, for so long that it is no
// member any more, has an offset of long ago: it must not say that the input brings
// again what is parked above it.
func TestATakerThatIsNoMemberDropsNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error { return nil }, parks()...)
	const log = "laned.work.retry.in"
	r := start(t, addrs, p, quickly())
	require.Eventually(t, func() bool { return len(retryLog(t, addrs, log)) == 2 }, waitFor, tick)
	r.stop()
	var frozen, evicted atomic.Bool
	frozen.Store(true)
	b.Cluster().ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().KeepControl()
		evicted.Store(frozen.Load()) // TAKE is what is written first
		return nil, nil, false       //nolint:nilnil // the broker answers
	})
	b.Cluster().ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().KeepControl()
		res := req.ResponseKind().(*kmsg.HeartbeatResponse)
		res.ErrorCode = kerr.UnknownMemberID.Code
		return res, nil, evicted.Load()
	})
	r = start(t, addrs, p, quickly())
	require.Eventually(t, func() bool { return r.Stats()[0].Restarts > 0 }, waitFor, tick)
	taken := retryLog(t, addrs, log)[2:]
	require.NotEmpty(t, taken)
	require.False(t, slices.ContainsFunc(taken, isOf[*parking.Resume]))
	frozen.Store(false)
	evicted.Store(false)
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 3)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 1, 3)
}
