package router_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// oneStage is a pipeline of one stage, "fail.work", that reads fail.in.
func oneStage(f func(context.Context, []byte) ([]byte, error), opts ...pipeline.Option[[]byte]) *pipeline.Pipeline {
	p := pipeline.New("fail")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "work", filters.Map(f), append(opts, pipeline.Open())...)
	return p
}

// poisoned reads the stage's poison topic.
func poisoned(t testing.TB, addrs []string, topic string) []router.Poisoned {
	t.Helper()
	var all []router.Poisoned
	err := kafka.ReadTopic(t.Context(), kafka.Config{Brokers: addrs}, topic, func(r *kafka.Record) error {
		p, err := router.ReadPoisoned(r)
		all = append(all, p)
		return err
	})
	require.NoError(t, err)
	return all
}

func TestAMessageThatCannotSucceedIsPoisonedByteForByte(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var tries atomic.Int32
	p := oneStage(func(_ context.Context, v []byte) ([]byte, error) {
		if string(v) == "bad" {
			return nil, fmt.Errorf("try %d: %w", tries.Add(1), errBoom)
		}
		return v, nil
	}, pipeline.Retry(3, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	bad := brokertest.Record{Key: []byte("k\x00"), Value: []byte("bad"), Headers: []brokertest.Header{
		{Key: "twice", Value: []byte{0xff}}, {Key: "twice", Value: nil}, {Key: "empty", Value: []byte{}},
	}}
	stored := brokertest.Produce(t, addrs, "fail.in", bad, brokertest.Record{Key: bad.Key, Value: []byte("good")})
	r.drained()

	got := poisoned(t, addrs, "fail.work.poison")
	require.Len(t, got, 1)
	require.Equal(t, bad.Key, got[0].Key)
	require.Equal(t, bad.Value, got[0].Value)
	require.Equal(t, "fail.in", got[0].Topic)
	require.Equal(t, stored[0].Partition, got[0].Partition)
	require.Equal(t, stored[0].Offset, got[0].Offset)
	require.WithinDuration(t, stored[0].Timestamp, got[0].RecordTime, 0)
	require.Equal(t, "fail.work", got[0].Stage)
	require.Equal(t, 3, got[0].Attempts)
	require.Equal(t, "try 1: boom", got[0].FirstError)
	require.Equal(t, "try 3: boom", got[0].LastError)

	raw := brokertest.ReadAll(t, addrs, "fail.work.poison")[0]
	require.Equal(t, bad.Headers, raw.Headers[:3], "the original's headers come first, unchanged")
	require.Equal(t, "try 3: boom", header(raw, "reason_poisoned"), "Watermill's names are kept")
	require.Equal(t, "fail.in", header(raw, "topic_poisoned"))
	require.Equal(t, "fail.work", header(raw, "handler_poisoned"))

	out := brokertest.ReadAll(t, addrs, "fail.work")
	require.Len(t, out, 1, "the key goes on behind what was poisoned")
	require.Equal(t, map[string]int64{"try 3: boom": 1}, r.Stats()[0].Reasons)
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var calls atomic.Int32
	p := oneStage(func(_ context.Context, v []byte) ([]byte, error) {
		calls.Add(1)
		switch string(v) {
		case "reject":
			return nil, filters.Reject(errBoom)
		case "skip":
			return nil, fmt.Errorf("not today: %w", filters.Skip)
		case "panic":
			panic(errBoom)
		case "later":
			if calls.Load() < 20 {
				return nil, filters.RetryAfter(0, errBoom)
			}
		}
		return v, nil
	}, pipeline.Retry(30, pipeline.Constant(time.Hour)))
	r := start(t, addrs, p, router.Config{})
	for _, v := range []string{"reject", "skip", "later"} {
		brokertest.Produce(t, addrs, "fail.in", brokertest.Record{Key: []byte("one"), Value: []byte(v)})
	}
	r.drained()
	require.EqualValues(t, 20, calls.Load(), "RetryAfter says when, in place of the backoff")
	stats := r.Stats()[0]
	require.Equal(t, router.Stats{
		Stage: "fail.work", In: 3, Out: 1, Skipped: 1, Retried: 17, Poisoned: 1, Reasons: map[string]int64{"boom": 1},
	}, stats)
}

func TestAPanicFailsItsMessageOnly(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := oneStage(func(_ context.Context, v []byte) ([]byte, error) {
		if string(v) == "panic" {
			panic("out of range, say")
		}
		return v, nil
	}, pipeline.Retry(2, pipeline.Constant(time.Millisecond)))
	r := start(t, addrs, p, router.Config{})
	for _, v := range []string{"before", "panic", "after"} {
		brokertest.Produce(t, addrs, "fail.in", brokertest.Record{Key: []byte("one"), Value: []byte(v)})
	}
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "fail.work"), 2)
	got := poisoned(t, addrs, "fail.work.poison")
	require.Len(t, got, 1)
	require.Equal(t, "panic: out of range, say", got[0].LastError)
	require.Equal(t, 2, got[0].Attempts)
}

func TestAnAttemptEndsWithItsTimeout(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := oneStage(func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, pipeline.Retry(2, pipeline.Constant(0)), pipeline.Timeout(10*time.Millisecond))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "fail.in", brokertest.Record{Value: []byte("slow")})
	r.drained()
	got := poisoned(t, addrs, "fail.work.poison")
	require.Len(t, got, 1)
	require.Contains(t, got[0].LastError, "longer than 10ms")
	require.Equal(t, 2, got[0].Attempts)
}

func TestWhatCannotBeReadIsPoisonedAtOnce(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := pipeline.New("fail")
	in := pipeline.NewPipe[map[string]int](p, "in")
	pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v map[string]int) (map[string]int, error) { return v, nil }), pipeline.Open())
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	// Somebody lets the pipe take more than we do; the plan follows.
	require.NoError(t, admin.Configure(t.Context(), "fail.in", map[string]string{"max.message.bytes": "4000000"}))
	r := start(t, addrs, p, router.Config{})

	large := make([]byte, 2<<20)
	for _, rec := range []brokertest.Record{
		{Key: []byte("garbage"), Value: []byte("{\"a\": x}")},
		{Key: []byte("empty"), Value: []byte{}},
		{Key: []byte("null"), Value: nil},
		{Key: []byte("large"), Value: large},
		{Key: []byte("time"), Value: []byte("{}"), Headers: []brokertest.Header{{Key: "ce_time", Value: []byte("yesterday")}}},
		{Key: []byte("fine"), Value: []byte("{\"a\": 1}")},
	} {
		brokertest.Produce(t, addrs, "fail.in", rec)
	}
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "fail.work"), 1)
	reasons := map[string]string{"garbage": "invalid character", "empty": "empty", "null": "empty", "large": "2097152 bytes", "time": "ce_time"}
	got := poisoned(t, addrs, "fail.work.poison")
	require.Len(t, got, len(reasons))
	for _, p := range got {
		require.Contains(t, strings.ToLower(p.LastError), reasons[string(p.Key)], "reason of %s", p.Key)
	}
}

func TestAnOutputThatItsTopicRefusesPoisonsItsMessage(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := oneStage(func(_ context.Context, v []byte) ([]byte, error) {
		if string(v) == "blow up" {
			return make([]byte, 3<<20), nil
		}
		return v, nil
	})
	r := start(t, addrs, p, router.Config{})
	for _, v := range []string{"a", "blow up", "b"} {
		brokertest.Produce(t, addrs, "fail.in", brokertest.Record{Key: []byte("one"), Value: []byte(v)})
	}
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "fail.work"), 2)
	got := poisoned(t, addrs, "fail.work.poison")
	require.Len(t, got, 1)
	require.Equal(t, "blow up", string(got[0].Value))
	require.Contains(t, got[0].LastError, "max.message.bytes")
}

func TestBeingStoppedIsNoFailure(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	entered := make(chan struct{}, 1)
	stuck := oneStage(func(ctx context.Context, _ []byte) ([]byte, error) {
		entered <- struct{}{}
		<-ctx.Done() // until the stop's deadline
		return nil, ctx.Err()
	}, pipeline.Retry(1, pipeline.Constant(0)))
	r := start(t, addrs, stuck, router.Config{StopTimeout: 50 * time.Millisecond})
	brokertest.Produce(t, addrs, "fail.in", brokertest.Record{Value: []byte("interrupted")})
	<-entered
	r.stop()
	require.Empty(t, brokertest.ReadAll(t, addrs, "fail.work.poison"))

	waiting := oneStage(func(context.Context, []byte) ([]byte, error) {
		entered <- struct{}{}
		return nil, errBoom
	}, pipeline.Retry(2, pipeline.Constant(5*time.Second)))
	r = start(t, addrs, waiting, router.Config{})
	<-entered
	r.stop() // does not wait for the second attempt: it is parked until then
	require.Empty(t, brokertest.ReadAll(t, addrs, "fail.work.poison"))
	require.Zero(t, lag(t, addrs, "fail.work", "fail.in"), "nothing is left to be read again")
	var parked []*parking.Park
	for _, e := range retryLog(t, addrs, "fail.work.retry.in") {
		if p, ok := e.Event.(*parking.Park); ok {
			parked = append(parked, p)
		}
	}
	require.Len(t, parked, 1)
	require.Equal(t, 1, parked[0].Attempts)

	r = start(t, addrs, oneStage(same), router.Config{})
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "fail.work"), 1)
}

func TestWhatThePoisonTopicCannotTakeIsNotLost(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := oneStage(func(context.Context, []byte) ([]byte, error) { return nil, filters.Reject(errBoom) })
	r := start(t, addrs, p, router.Config{})
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	// While it runs, somebody makes the pipe larger than the poison topic.
	require.NoError(t, admin.Configure(t.Context(), "fail.in", map[string]string{"max.message.bytes": "4000000"}))
	brokertest.Produce(t, addrs, "fail.in", brokertest.Record{Value: make([]byte, 2<<20)})
	require.Eventually(t, func() bool { return r.Stats()[0].Restarts > 0 }, waitFor, tick)
	require.Empty(t, brokertest.ReadAll(t, addrs, "fail.work.poison"))
	r.stop()

	var wrong *router.MissingTopicsError
	g, err := p.Build()
	require.NoError(t, err)
	again, err := router.New(router.Config{Kafka: kafka.Config{Brokers: addrs}, Logger: logger(t)}, g)
	require.NoError(t, err)
	require.ErrorAs(t, again.Run(t.Context()), &wrong, "it says so before it starts")
	require.Len(t, wrong.Wrong, 2)
	require.Contains(t, wrong.Wrong[0], "fail.work.poison")
	require.Contains(t, wrong.Wrong[1], "fail.work.retry.in")

	r = start(t, addrs, p, router.Config{}) // applies the plan
	r.drained()
	require.Len(t, poisoned(t, addrs, "fail.work.poison"), 1)
}
