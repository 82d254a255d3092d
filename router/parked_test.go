package router_test

import (
	"context"
	"slices"
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
	"github.com/penstock/penstock/schemas"
)

// The head of a key fails until all other keys are through: so they pass it. What
// comes for the key meanwhile is parked behind it, and keeps its order.
func TestAFailingMessageIsParkedAndItsKeyKeepsItsOrder(t *testing.T) {
	t.Parallel()
	for _, lanes := range []int{1, 4} {
		addrs := brokertest.New(t).Addrs()
		others := make(chan struct{})
		var passed atomic.Int32
		p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
			switch {
			case m.Key == "key-0" && string(m.Body) == "0":
				select {
				case <-others:
				default:
					return errBoom
				}
			case m.Key != "key-0":
				if passed.Add(1) == 29*20 {
					close(others)
				}
			}
			return nil
		}, pipeline.Lanes(lanes), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
		r := start(t, addrs, p, router.Config{})
		brokertest.Produce(t, addrs, "laned.in", numbered(30, 10)...)
		require.Eventually(t, func() bool { return r.Stats()[0].Parked > 5 }, waitFor, tick)
		brokertest.Produce(t, addrs, "laned.in", numbered(30, 20)[30*10:]...)
		r.drained()
		requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 30, 20)
		require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work.poison"))
		r.stop()
	}
}

// With one key's head put off for an hour the others go on, those that are parked
// too.
func TestAKeyThatWaitsForAnHourHoldsUpNobody(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var fails atomic.Int32
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		switch {
		case m.Key == "key-0" && string(m.Body) == "0":
			return filters.RetryAfter(time.Hour, errBoom)
		case string(m.Body) == "1" && fails.Add(1) < 100:
			return filters.RetryAfter(time.Millisecond, errBoom)
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1000, pipeline.Constant(time.Hour)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", numbered(20, 5)...)
	require.Eventually(t, func() bool { return r.Stats()[0].Out == 19*5 }, waitFor, tick)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 5 }, waitFor, tick)
	requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
	r.stop() // does not wait for the hour
	out := brokertest.ReadAll(t, addrs, "laned.work")
	requireSequences(t, out, 19, 5)
}

// Messages without a key wait for nobody, parked or not, and each is through once.
func TestMessagesWithoutAKeyAreParkedAlone(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var mu sync.Mutex
	tries := map[string]int{}
	var passed atomic.Int32
	others := make(chan struct{})
	p := laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		mu.Lock()
		defer mu.Unlock()
		tries[string(m.Body)]++
		if len(m.Body) == 2 && m.Body[0] == '1' { // 10 to 19
			select {
			case <-others:
				return nil
			default:
				return errBoom
			}
		}
		if passed.Add(1) == 90 {
			close(others)
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	records := numbered(1, 100)
	for i := range records {
		records[i].Key = nil
	}
	brokertest.Produce(t, addrs, "laned.in", records...)
	r.drained()
	out := brokertest.ReadAll(t, addrs, "laned.work")
	require.Len(t, out, 100)
	for _, rec := range out {
		require.Nil(t, rec.Key)
	}
	require.GreaterOrEqual(t, tries["10"], 2)
	requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
}

// At the bound of what may be parked the pipe waits. What is parked goes on, and
// nothing is lost.
func TestAtTheBoundThePipeWaits(t *testing.T) {
	t.Parallel()
	for _, policy := range []pipeline.PoisonPolicy{pipeline.GoOn, pipeline.HoldKey} {
		addrs := brokertest.New(t).Addrs()
		var open atomic.Bool
		p := laned(func(context.Context, *pipeline.Message[[]byte]) error {
			if !open.Load() {
				return errBoom
			}
			return nil
		}, pipeline.Lanes(1), pipeline.Retry(1, pipeline.Constant(0)), pipeline.OnPoison(policy),
			pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
		r := start(t, addrs, p, router.Config{MaxParked: 7})
		brokertest.Produce(t, addrs, "laned.in", numbered(20, 5)...)
		require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 7 }, waitFor, tick)
		retried := r.Stats()[0].Retried
		require.Eventually(t, func() bool { return r.Stats()[0].Retried > retried+100 }, waitFor, tick)
		require.EqualValues(t, 7, r.Status().Stages[0].ParkedNow.Messages, "no more than that, while what is parked is tried")
		open.Store(true)
		r.drained()
		requireSequences(t, brokertest.ReadAll(t, addrs, "laned.work"), 20, 5)
		require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work.poison"))
		r.stop()
	}
}

// What is delivered from the log is what was delivered first: the same record, and
// so the same ids, with the attempts going on.
func TestAParkedMessageIsDeliveredAsItWas(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var mu sync.Mutex
	var seen []pipeline.Delivery
	p := laned(func(ctx context.Context, _ *pipeline.Message[[]byte]) error {
		mu.Lock()
		defer mu.Unlock()
		d := *pipeline.FromContext(ctx)
		d.Value = slices.Clone(d.Value)
		seen = append(seen, d)
		if len(seen) < 5 {
			return errBoom
		}
		return nil
	}, pipeline.Lanes(2), pipeline.Retry(2, pipeline.Constant(0)), pipeline.Park(10, pipeline.Constant(0)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", brokertest.Record{Key: []byte("k"), Value: []byte("before")}, brokertest.Record{
		Key: []byte("k"), Value: []byte("v"), Headers: []brokertest.Header{{Key: "x", Value: []byte("1")}, {Key: "x", Value: nil}, {Key: "reply-to", Value: []byte("answers")}},
	})
	r.drained()
	byOffset := map[int64][]pipeline.Delivery{}
	for _, d := range seen {
		byOffset[d.Offset] = append(byOffset[d.Offset], d)
	}
	require.Len(t, byOffset, 2)
	for offset, ds := range byOffset {
		for i, d := range ds {
			require.Equal(t, i+1, d.Attempt)
			d.Attempt = 1
			first := ds[0]
			require.Equal(t, first.Envelope, d.Envelope)
			require.Equal(t, first.Value, d.Value)
			require.Equal(t, first.Topic, d.Topic)
			require.Equal(t, first.Partition, d.Partition)
			require.Equal(t, schemas.RecordID(topicID(t, addrs, "laned.in"), 0, offset), d.ID)
		}
	}
	for i, out := range brokertest.ReadAll(t, addrs, "laned.work") {
		parent := schemas.RecordID(topicID(t, addrs, "laned.in"), 0, int64(i))
		require.Equal(t, schemas.DeriveID(parent, "laned.work", 0), header(out, "ce_id"))
		require.Equal(t, parent, header(out, "ce_correlationid"))
	}
}

// Being stopped while a parked message is tried is no attempt.
func TestAStopIsNoAttemptOfAParkedMessage(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	entered := make(chan int, 10)
	var stopping atomic.Bool
	p := laned(func(ctx context.Context, _ *pipeline.Message[[]byte]) error {
		attempt := pipeline.FromContext(ctx).Attempt
		entered <- attempt
		if attempt > 1 && stopping.Load() {
			<-ctx.Done() // until the stop's deadline
			return ctx.Err()
		}
		if attempt > 1 {
			return nil
		}
		return errBoom
	}, pipeline.Lanes(2), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1, pipeline.Constant(0)))
	stopping.Store(true)
	r := start(t, addrs, p, router.Config{StopTimeout: 50 * time.Millisecond})
	brokertest.Produce(t, addrs, "laned.in", numbered(1, 1)...)
	require.Equal(t, 1, <-entered)
	require.Equal(t, 2, <-entered)
	r.stop()
	stopping.Store(false)
	r = start(t, addrs, p, router.Config{})
	r.drained()
	require.Equal(t, 2, <-entered)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 1)
	require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work.poison"))
}

// Keys of two pipes of one stage are independent, equal ones too.
func TestTheSameKeyOfTwoPipesIsParkedApart(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var passed atomic.Bool
	p := pipeline.New("two")
	a := pipeline.NewPipe[[]byte](p, "a", pipeline.Partitions(1))
	b := pipeline.NewPipe[[]byte](p, "b", pipeline.Partitions(1))
	pipeline.Stage(pipeline.Merge(a, b), "work", filters.Map(func(ctx context.Context, v []byte) ([]byte, error) {
		if pipeline.FromContext(ctx).Topic == "two.b" {
			passed.Store(true)
			return v, nil
		}
		if !passed.Load() {
			return nil, errBoom
		}
		return v, nil
	}), pipeline.Open(), pipeline.Retry(1, pipeline.Constant(0)), pipeline.Park(1_000_000, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "two.a", numbered(1, 5)...)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 5 }, waitFor, tick)
	brokertest.Produce(t, addrs, "two.b", numbered(1, 5)...)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "two.work"), 10)
	require.Empty(t, slices.DeleteFunc(retryLog(t, addrs, "two.work.retry.b"), func(e logged) bool { return isOf[*parking.Take](e) || isOf[*parking.Resume](e) }))
}
