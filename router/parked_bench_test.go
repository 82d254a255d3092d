package router_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/sinks"
	"github.com/penstock/penstock/sources"
)

// BenchmarkTakeover takes over a partition with messages parked for an hour, each
// of another key, and tells how long that took and what they take in memory.
func BenchmarkTakeover(b *testing.B) {
	benchTakeover(b, brokertest.New(b).Addrs(), "takeover")
}

func benchTakeover(b *testing.B, addrs []string, name string) {
	b.Helper()
	for _, parked := range []int{0, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("parked=%d", parked), func(b *testing.B) {
			p := pipeline.New(fmt.Sprintf("%s-%d", name, parked))
			in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(1))
			pipeline.Sink(in, "work", sinks.Func(func(context.Context, []byte) error { return nil }), pipeline.Park(3, pipeline.Constant(time.Hour)))
			g, err := p.Build()
			require.NoError(b, err)
			makeTopics(b, addrs, g)
			fillRetryLog(b, addrs, g.Stages[0].RetryTopics[0], parked)
			before := heap()
			for b.Loop() {
				r := start(b, addrs, p, router.Config{Logger: slog.New(slog.DiscardHandler)})
				require.Eventually(b, func() bool { return r.Status().Stages[0].Takeovers == 1 }, 5*time.Minute, tick)
				stage := r.Status().Stages[0]
				b.ReportMetric(float64(stage.TakeoverTime.Milliseconds()), "ms/takeover")
				b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
				require.EqualValues(b, parked, stage.ParkedNow.Messages)
				r.stop()
			}
		})
	}
}

// fillRetryLog writes an owner's TAKE and so many PARKs of 200 bytes.
func fillRetryLog(b *testing.B, addrs []string, topic string, parked int) {
	b.Helper()
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{Config: kafka.Config{Brokers: addrs}})
	require.NoError(b, err)
	defer func() { require.NoError(b, pub.Close()) }()
	old := [16]byte{1} // of a topic that was made anew: the input brings nothing of it again
	send := func(events ...parking.Event) {
		outs := make([]kafka.Output, len(events))
		for i, e := range events {
			outs[i] = kafka.Output{Topic: topic, Placed: true}
			outs[i].Key, outs[i].Value, outs[i].Headers = parking.Encode(e)
		}
		require.NoError(b, pub.Send(b.Context(), outs...))
	}
	send(&parking.Take{})
	later := time.Now().Add(time.Hour)
	const together = 10_000
	for from := 0; from < parked; from += together {
		events := make([]parking.Event, 0, together)
		for i := from; i < min(parked, from+together); i++ {
			events = append(events, &parking.Park{
				Entry: parking.Entry{Topic: old, Offset: int64(i)}, Rank: -1, Prev: -1, Attempts: 1, NotBefore: later,
				Since: later, FirstError: "boom", LastError: "boom", SourceTime: later,
				Message: parking.Message{Key: fmt.Appendf(nil, "key-%07d", i), Value: make([]byte, 200)},
			})
		}
		send(events...)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkBesideADelayedKey tells how long messages take through a stage while
// the head of one key waits for an hour, beside a run in which nothing waits: the
// ratio of the 99th percentiles.
func BenchmarkBesideADelayedKey(b *testing.B) {
	benchDelayedKey(b, brokertest.New(b).Addrs(), "delayed")
}

// delayedRounds is how often both are measured, in turn.
const delayedRounds = 5

func benchDelayedKey(b *testing.B, addrs []string, name string) {
	b.Helper()
	for n := 0; b.Loop(); n++ {
		var ratios, plain []float64
		for round := range delayedRounds {
			without := p99(b, addrs, fmt.Sprintf("%s-%d-%d-plain", name, n, round), false)
			with := p99(b, addrs, fmt.Sprintf("%s-%d-%d-delayed", name, n, round), true)
			ratios = append(ratios, float64(with)/float64(without))
			plain = append(plain, float64(without.Microseconds())/1000)
		}
		slices.Sort(ratios)
		slices.Sort(plain)
		b.ReportMetric(ratios[delayedRounds/2], "p99-ratio")
		b.ReportMetric(plain[delayedRounds/2], "p99-ms-plain")
	}
}

// p99 sends 10,000 messages of 100 keys in ten seconds through a stage into a
// sink. Where delayed, the first of one key is to be tried again in an hour.
func p99(b *testing.B, addrs []string, name string, delayed bool) time.Duration {
	b.Helper()
	const delayedKey = "key-00"
	p := pipeline.New(name)
	in := pipeline.Source(p, "in", sources.Func(paced, sources.Finite()), pipeline.Key(keyOfPaced), pipeline.Partitions(2))
	mid := pipeline.Stage(in, "work", filters.Func(func(_ context.Context, m *pipeline.Message[[]byte], out *pipeline.Emitter[[]byte]) error {
		if delayed && m.Key == delayedKey {
			return filters.RetryAfter(time.Hour, errBoom)
		}
		out.Emit(m.Body)
		return nil
	}), pipeline.Park(3, pipeline.Constant(time.Hour)), pipeline.Partitions(2))
	var mu sync.Mutex
	var took []time.Duration
	through := make(chan struct{})
	pipeline.Sink(mid, "look", sinks.Func(func(_ context.Context, v []byte) error {
		if keyOfPaced(v) == delayedKey {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(v)))))
		if len(took) == pacedMessages/pacedKeys*(pacedKeys-1) {
			close(through)
		}
		return nil
	}))
	r := start(b, addrs, p, router.Config{Logger: slog.New(slog.DiscardHandler)})
	select {
	case <-through:
	case <-time.After(time.Minute):
		b.Fatal("not all messages came through")
	}
	r.stop()
	slices.Sort(took)
	return took[len(took)*99/100]
}

const (
	pacedMessages = 10_000
	pacedKeys     = 100
	pacedEvery    = 10 * time.Millisecond
)

// paced puts ten messages at a time, with the moment of their making.
func paced(ctx context.Context, emit pipeline.Emit[[]byte]) error {
	tick := time.NewTicker(pacedEvery)
	defer tick.Stop()
	for from := 0; from < pacedMessages; from += 10 {
		triggers := make([]pipeline.Trigger[[]byte], 10)
		for i := range triggers {
			body := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
			triggers[i].Body = fmt.Appendf(body, "key-%02d", (from+i)%pacedKeys)
		}
		if err := emit(ctx, triggers...); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func keyOfPaced(v []byte) string { return string(v[8:]) }
