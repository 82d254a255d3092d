package router_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/internal/parking"
)

// rejecting is a stage that rejects one message until it is told not to.
func rejecting(key, value string, accept *atomic.Bool, opts ...pipeline.Option[[]byte]) *pipeline.Pipeline {
	return laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		if m.Key == key && string(m.Body) == value && !accept.Load() {
			return filters.Reject(errBoom)
		}
		return nil
	}, opts...)
}

func holding() []pipeline.Option[[]byte] {
	return []pipeline.Option[[]byte]{
		pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(2, pipeline.Constant(time.Millisecond)), pipeline.OnPoison(pipeline.HoldKey),
	}
}

// A poisoned message holds its key, over a restart too, until it is replayed: in
// its place, so that the key has its order.
func TestAPoisonedMessageHoldsItsKeyUntilItIsReplayed(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	p := rejecting("key-0", "3", &accept, holding()...)
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(10, 6)...)
	r.drained() // does not wait for what is held
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 9*6+3)
	require.Len(t, poisoned(t, addrs, "laned.work.poison"), 1)
	requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
	r.stop()

	r = start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(10, 8)[10*6:]...)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 9*8+3)
	require.Len(t, poisoned(t, addrs, "laned.work.poison"), 1, "once")

	accept.Store(true)
	replay := replayOf(t, addrs, 0)
	appendEvents(t, addrs, "laned.work.retry.in", 0, replay, replay) // asked for twice
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) >= 10*8 }, waitFor, tick)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 10, 8)
	requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
}

func TestAMessageThatIsDroppedLetsItsKeyGoOn(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var never atomic.Bool
	p := rejecting("key-0", "3", &never, append(holding(), pipeline.Lanes(2))...)
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 6)...)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 3)
	require.Equal(t, router.Parked{Messages: 3, Oldest: r.Parking("work")["laned.in"][0].Live[0].Since}, r.Status().Stages[0].ParkedNow)
	appendEvents(t, addrs, "laned.work.retry.in", 0, &parking.Drop{Of: replayOf(t, addrs, 0).Replayed.Of, By: "a test", At: time.Now()})
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 0 }, waitFor, tick)
	r.drained()
	var got []string
	for _, rec := range brokertest.ReadAll(t, addrs, "laned.work") {
		got = append(got, string(rec.Value))
	}
	require.Equal(t, []string{"0", "1", "2", "4", "5"}, got)
	requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
}

// A message that fails its attempts from the log holds its key like one that is
// rejected at once, and its story counts all attempts.
func TestAHeldMessageHasHadAllItsAttempts(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var attempts []int
	var mu sync.Mutex
	p := laned(func(ctx context.Context, m *pipeline.Message[[]byte]) error {
		if string(m.Body) != "0" {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		attempts = append(attempts, pipeline.FromContext(ctx).Attempt)
		return fmt.Errorf("attempt %d: %w", len(attempts), errBoom)
	}, append(holding(), pipeline.Lanes(2))...)
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 3)...)
	r.drained()
	require.Equal(t, []int{1, 2, 3}, attempts)
	require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work"))
	got := poisoned(t, addrs, "laned.work.poison")
	require.Len(t, got, 1)
	require.Equal(t, 3, got[0].Attempts)
	require.Equal(t, "attempt 1: boom", got[0].FirstError)
	require.Equal(t, "attempt 3: boom", got[0].LastError)
	require.Equal(t, "laned.in", got[0].Topic)
	require.EqualValues(t, 0, got[0].Offset)
}

// A stage that does not park serves replays too, while other messages of the key
// are in its loop and in its lanes, and its filter gets one message of a key at a
// time.
func TestAReplayRunsBesideNoMessageOfItsKey(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	var inside atomic.Int32
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		if !inside.CompareAndSwap(0, 1) {
			t.Error("two messages of one key at once")
		}
		defer inside.Store(0)
		if string(m.Body) == "poison" && !accept.Load() {
			return filters.Reject(errBoom)
		}
		if len(m.Body)%3 == 0 {
			busy(50 * time.Microsecond)
		}
		return nil
	}, pipeline.Lanes(4))
	r := start(t, addrs, p, router.Config{})
	bad := brokertest.Record{Key: []byte("key-0"), Value: []byte("poison")}
	for range 5 {
		brokertest.Produce(t, addrs, "laned.in", bad)
	}
	r.drained()
	require.Len(t, poisoned(t, addrs, "laned.work.poison"), 5)
	accept.Store(true)
	records := numbered(1, 2000)
	for i := range 5 {
		replay := replayOf(t, addrs, i)
		brokertest.Produce(t, addrs, "laned.in", records[400*i:400*i+400]...)
		appendEvents(t, addrs, "laned.work.retry.in", 0, replay)
	}
	require.Eventually(t, func() bool { return r.Stats()[0].Out >= 2005 }, waitFor, tick)
	r.drained()
	var rest []brokertest.Record
	for _, rec := range brokertest.ReadAll(t, addrs, "laned.work") {
		if string(rec.Value) != "poison" {
			rest = append(rest, rec)
		}
	}
	requireSequences(t, rest, 1, 2000)
	requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
}
