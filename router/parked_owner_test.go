package router_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// parks are the options of a stage that parks at once, for a moment.
func parks() []pipeline.Option[[]byte] {
	return []pipeline.Option[[]byte]{
		pipeline.Lanes(2), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)),
	}
}

// quickly is the configuration of a router that is cut short when it stops.
func quickly() router.Config {
	return router.Config{StopTimeout: 20 * time.Millisecond, CommitInterval: 10 * time.Millisecond}
}

// What was parked at or above the offset that the next owner reads from is read
// again, and must not be live too: it would stand before what was read before it.
func TestWhatTheInputBringsAgainIsNotParkedTwice(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var second, open atomic.Bool
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		switch {
		case m.Key == "first" && !second.Load():
			return filters.RetryAfter(10*time.Second, errBoom) // in its lane: nothing behind it is committed
		case m.Key == "key-0" && string(m.Body) == "1" && !open.Load():
			return errBoom
		}
		return nil
	}, pipeline.Lanes(4), pipeline.Retry(2, pipeline.Constant(0)), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
	full := quickly()
	full.MaxParked = 3 // so that the stop does not park the first one either
	r := start(t, addrs, p, full)
	brokertest.Produce(t, addrs, "laned.in", append([]brokertest.Record{{Key: []byte("first"), Value: []byte("0")}}, numbered(1, 4)...)...)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 3 }, waitFor, tick)
	r.cut()
	second.Store(true)
	r = start(t, addrs, p, quickly())
	require.Eventually(t, func() bool { return behind(r) == 0 }, waitFor, tick)
	open.Store(true)
	r.drained()
	requireRewinds(t, without(brokertest.ReadAll(t, addrs, "laned.work"), "first"), 1, 4)
}

// behind is how far the stage's partitions are behind, as far as this process
// knows.
func behind(r *running) int64 {
	n := int64(0)
	for _, p := range r.Status().Stages[0].Partitions {
		n += p.Behind()
	}
	if len(r.Status().Stages[0].Partitions) == 0 {
		return -1
	}
	return n
}

func without(records []brokertest.Record, keys ...string) []brokertest.Record {
	var rest []brokertest.Record
next:
	for _, r := range records {
		for _, k := range keys {
			if string(r.Key) == k {
				continue next
			}
		}
		rest = append(rest, r)
	}
	return rest
}

// What a former owner writes late is void.
func TestAZombiesRecordsAreVoid(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error { return nil }, parks()...)
	r := start(t, addrs, p, quickly())
	require.Eventually(t, func() bool { return len(retryLog(t, addrs, "laned.work.retry.in")) > 0 }, waitFor, tick)
	r.stop()
	old := retryLog(t, addrs, "laned.work.retry.in")[0]
	require.IsType(t, &parking.Take{}, old.Event)
	r = start(t, addrs, p, quickly())
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 5)...)
	r.drained()
	appendEvents(t, addrs, "laned.work.retry.in", 0, &parking.Park{
		Epoch: old.offset, Entry: parking.Entry{Topic: topicID(t, addrs, "laned.in"), Offset: 0}, Rank: -1, Prev: -1,
		Message: parking.Message{Key: []byte("key-0"), Value: []byte("0")},
	})
	// Behind it a replay that counts tells that it has been read.
	appendEvents(t, addrs, "laned.work.retry.in", 0, &parking.Replay{
		Entry:    parking.Entry{Topic: topicID(t, addrs, "laned.work.poison"), Offset: 0},
		Replayed: parking.Replayed{Of: parking.Entry{Offset: 1}, SourceTopic: "laned.in"},
		Message:  parking.Message{Key: []byte("replayed"), Value: []byte("0")},
	})
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) > 5 }, waitFor, tick)
	r.drained()
	requireRewinds(t, without(brokertest.ReadAll(t, addrs, "laned.work"), "replayed"), 1, 5)
}

// A TAKE that is not its own ends an owner's claim. What it wrote behind it is
// void, and so nothing that is parked there may have been committed.
func TestAnOwnerThatIsTakenOverLosesNothing(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := flaky(4)
	r := start(t, addrs, p, quickly())
	records := numbered(20, 100)
	const parts = 5
	for i := range parts {
		brokertest.Produce(t, addrs, "flaky.in", records[i*len(records)/parts:(i+1)*len(records)/parts]...)
		before := r.Stats()[0].Restarts
		require.Eventually(t, func() bool {
			if len(r.Parking("work")["flaky.in"]) == 3 { // its own takeovers are through
				for partition := range int32(3) {
					appendEvents(t, addrs, "flaky.work.retry.in", partition, &parking.Take{})
				}
			}
			return r.Stats()[0].Restarts > before
		}, waitFor, 10*tick)
	}
	r.drained()
	requireRewinds(t, brokertest.ReadAll(t, addrs, "flaky.work"), 20, 100)
	requireFolded(t, addrs, r, "flaky.in", "flaky.work.retry.in")
}

// An offset is committed when the PARK of its message counts, not when it is
// stored: another owner's TAKE may stand before it, and then it is void.
func TestWhatIsParkedIsCommittedWhenItCounts(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	var open atomic.Bool
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error {
		if !open.Load() {
			return errBoom
		}
		return nil
	}, parks()...)
	r := start(t, addrs, p, quickly())
	const log = "laned.work.retry.in"
	require.Eventually(t, func() bool { return len(r.Parking("work")["laned.in"]) == 1 }, waitFor, tick)
	blind := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: log, Err: kerr.NotLeaderForPartition, Count: -1})
	appendEvents(t, addrs, log, 0, &parking.Take{})
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 3)...)
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	require.Eventually(t, func() bool { // two TAKEs, a RESUME and three PARKs
		lags, err := admin.Lag(t.Context(), "laned.work", log)
		return err == nil && len(lags) == 1 && lags[0].End >= 6
	}, waitFor, tick)
	blind.Remove()
	require.Eventually(t, func() bool { return r.Stats()[0].Restarts > 0 }, waitFor, tick)
	open.Store(true)
	r.drained()
	requireRewinds(t, brokertest.ReadAll(t, addrs, "laned.work"), 1, 3)
}

// A key is free when its DONE is in the log, and no sooner: else a later message
// goes on, is committed, and after a crash the parked one comes behind it.
func TestAKeyIsFreeWhenItsDoneIsStored(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t)
	addrs := b.Addrs()
	var fault atomic.Pointer[kfake.FaultHandle]
	p := laned(func(ctx context.Context, m *pipeline.Message[[]byte]) error {
		if string(m.Body) != "0" || fault.Load() != nil {
			return nil
		}
		if pipeline.FromContext(ctx).Attempt == 1 {
			return errBoom
		}
		// Its START is stored. Its DONE cannot be.
		fault.Store(b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "laned.work.retry.in", Err: kerr.NotEnoughReplicas, Count: -1}))
		return nil
	}, parks()...)
	r := start(t, addrs, p, quickly())
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 1)...)
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) == 1 }, waitFor, tick)
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	require.NoError(t, fault.Load().Wait(ctx, 1)) // DONE was tried
	brokertest.Produce(t, addrs, "laned.in", append(numbered(1, 2)[1:], brokertest.Record{Key: []byte("other"), Value: []byte("0")})...)
	require.Eventually(t, func() bool { return len(without(brokertest.ReadAll(t, addrs, "laned.work"), "key-0")) == 1 }, waitFor, tick)
	r.cut()
	fault.Load().Remove()
	r = start(t, addrs, p, quickly())
	r.drained()
	requireRewinds(t, without(brokertest.ReadAll(t, addrs, "laned.work"), "other"), 1, 2)
}

// A log of which little is live is cut, while what is live goes on. Who takes over
// finds all of it, with or without what was committed beside the offset.
func TestTheLogIsCutAndNothingOfItIsLost(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	const log = "laned.work.retry.in"
	var accept atomic.Bool
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		switch {
		case m.Key == "key-0" && string(m.Body) == "1" && !accept.Load():
			return filters.Reject(errBoom) // held
		case m.Key == "key-1" && !accept.Load():
			return filters.RetryAfter(time.Hour, errBoom)
		}
		return nil
	}, holding()...)
	r := start(t, addrs, p, quickly())
	brokertest.Produce(t, addrs, "laned.in", numbered(3, 4)...)
	parked := func() bool { return r.Status().Stages[0].ParkedNow.Messages == 3+4 && behind(r) == 0 }
	require.Eventually(t, parked, waitFor, tick)

	garbage := make([]parking.Event, 11_000)
	for i := range garbage {
		garbage[i] = &parking.Start{Epoch: -1, Entries: []parking.Entry{{}}} // of nobody
	}
	appendEvents(t, addrs, log, 0, garbage...)
	cut := func() bool { events := retryLog(t, addrs, log); return len(events) < 100 }
	require.Eventually(t, cut, waitFor, 10*tick)
	require.IsType(t, &parking.Scan{}, retryLog(t, addrs, log)[0].Event, "a fold can begin there")
	requireFolded(t, addrs, r, "laned.in", log)
	brokertest.Produce(t, addrs, "laned.in", numbered(3, 5)[3*4:]...)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 4+5 }, waitFor, tick)
	r.stop()

	r = start(t, addrs, p, quickly())
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 4+5 }, waitFor, tick)
	requireFolded(t, addrs, r, "laned.in", log)
	r.stop()

	forgetMetadata(t, addrs, "laned.work", "laned.in", 15)
	accept.Store(true)
	r = start(t, addrs, p, quickly())
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 4+5 }, waitFor, tick)
	requireFolded(t, addrs, r, "laned.in", log)
	appendEvents(t, addrs, log, 0, replayOf(t, addrs, 0))
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 5 }, waitFor, tick)
	requireSequences(t, without(brokertest.ReadAll(t, addrs, "laned.work"), "key-1"), 2, 5)
}

// forgetMetadata commits an offset of partition 0 with nothing beside it, as a tool
// does that resets a group's offsets.
func forgetMetadata(t testing.TB, addrs []string, group, topic string, offset int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
	require.NoError(t, err)
	defer client.Close()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	partition := kmsg.NewOffsetCommitRequestTopicPartition()
	partition.Offset = offset
	of := kmsg.NewOffsetCommitRequestTopic()
	of.Topic, of.TopicID, of.Partitions = topic, topicID(t, addrs, topic), []kmsg.OffsetCommitRequestTopicPartition{partition}
	req.Topics = append(req.Topics, of)
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	res, err := req.RequestWith(ctx, client)
	require.NoError(t, err)
	require.Zero(t, res.Topics[0].Partitions[0].ErrorCode)
}
