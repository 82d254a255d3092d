package router_test

import (
	"context"
	"slices"
	"sync"
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
	var evicted atomic.Bool
	evicted.Store(true)
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
	evicted.Store(false)
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 3)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 1, 3)
}

// One that is frozen when it has been told that it is a member goes on behind
// another's TAKE, and what it says is void.
func TestATakerThatWasTakenOverDropsNothing(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error { return nil }, parks()...)
	const log = "laned.work.retry.in"
	var once sync.Once
	asked, goOn := make(chan struct{}), make(chan struct{})
	b.Cluster().ControlKey(int16(kmsg.Heartbeat), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().DropControl()
		once.Do(func() { close(asked) })
		b.Cluster().SleepControl(func() { <-goOn })
		return nil, nil, false //nolint:nilnil // the broker answers
	})
	r := start(t, addrs, p, quickly())
	select {
	case <-asked:
	case <-t.Context().Done():
	}
	other := retryLog(t, addrs, log)
	require.Len(t, other, 1)
	epoch := other[0].offset + 1
	appendEvents(t, addrs, log, 0, &parking.Take{}, &parking.Park{
		Epoch: epoch, Entry: parking.Entry{Topic: topicID(t, addrs, "laned.in"), Offset: 1000}, Rank: -1, Prev: -1,
		Message: parking.Message{Key: []byte("other's"), Value: []byte("0")},
	})
	close(goOn)
	require.Eventually(t, func() bool { return r.Stats()[0].Restarts > 0 }, waitFor, tick)
	events := retryLog(t, addrs, log)
	void := slices.IndexFunc(events, isOf[*parking.Resume])
	require.Equal(t, 3, void, "it lies behind what the other one has parked")
	fold := parking.New(parking.Config{})
	for _, e := range events[:void+1] {
		fold.Apply(e.Event, e.offset)
	}
	require.Len(t, fold.Snapshot().Live, 1)
	r.drained() // it takes over anew, and counts
}
