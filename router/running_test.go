package router_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// running is a router that a test has started.
type running struct {
	*router.Router

	t       testing.TB
	cancel  context.CancelFunc
	stopped chan error
}

// start builds the pipeline, makes its topics and runs what cfg chooses of it.
func start(t testing.TB, addrs []string, p *pipeline.Pipeline, cfg router.Config) *running {
	t.Helper()
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	return launch(t, addrs, g, cfg)
}

// launch runs what cfg chooses of a pipeline whose topics are there.
func launch(t testing.TB, addrs []string, g *pipeline.Graph, cfg router.Config) *running {
	t.Helper()
	cfg.Kafka.Brokers = addrs
	if cfg.Logger == nil {
		cfg.Logger = logger(t)
	}
	r, err := router.New(cfg, g)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	run := &running{Router: r, t: t, cancel: cancel, stopped: make(chan error, 1)}
	go func() { run.stopped <- r.Run(ctx) }()
	t.Cleanup(run.stop)
	select {
	case <-r.Ready():
	case err := <-run.stopped:
		run.stopped <- nil
		t.Fatalf("the router stopped before it was ready: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the router is not ready")
	}
	return run
}

// stop stops the router and checks that it stopped without an error. Once
// stopped it does nothing.
func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	if r.stopped == nil {
		return
	}
	select {
	case err := <-r.stopped:
		require.NoError(r.t, err)
	case <-time.After(time.Minute):
		r.t.Fatal("the router does not stop")
	}
	r.stopped = nil
}

func (r *running) drained() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(r.t, r.AwaitDrained(ctx))
}

func makeTopics(t testing.TB, addrs []string, g *pipeline.Graph) {
	t.Helper()
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	changes, err := router.Plan(t.Context(), admin, router.Topics(router.TopicOptions{Partitions: 4}, g))
	require.NoError(t, err)
	require.NoError(t, router.Apply(t.Context(), admin, changes, func(router.Change) {}))
}

// logger writes to the test's log, until the test is over.
func logger(t testing.TB) *slog.Logger {
	t.Helper()
	w := &testWriter{t: t}
	t.Cleanup(w.close)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct {
	mu   sync.Mutex
	t    testing.TB
	over bool
}

func (w *testWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Log(string(bytes.TrimSpace(b)))
	}
	return len(b), nil
}

func (w *testWriter) close() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
}

// numbered makes n records a key, with the values 0 to n-1.
func numbered(keys, n int) []brokertest.Record {
	var records []brokertest.Record
	for i := range n {
		for k := range keys {
			records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "key-%d", k), Value: fmt.Appendf(nil, "%d", i)})
		}
	}
	return records
}

// requireSequences checks that each of the keys has the values 0 to n-1 in
// order, in its one partition.
func requireSequences(t testing.TB, records []brokertest.Record, keys, n int) {
	t.Helper()
	next := map[string]int{}
	partition := map[string]int32{}
	for _, r := range records {
		key := string(r.Key)
		if p, seen := partition[key]; seen {
			require.Equal(t, p, r.Partition, "key %s is in two partitions", key)
		}
		partition[key] = r.Partition
		require.Equal(t, fmt.Sprint(next[key]), string(r.Value), "key %s at %d/%d", key, r.Partition, r.Offset)
		next[key]++
	}
	require.Len(t, next, keys)
	for key, got := range next {
		require.Equal(t, n, got, "messages of key %s", key)
	}
}

func header(r brokertest.Record, key string) string {
	for _, h := range slices.Backward(r.Headers) {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

var errBoom = errors.New("boom")

const (
	waitFor = 30 * time.Second
	tick    = 5 * time.Millisecond
)

// requireRewinds checks that each of the keys has every value from 0 to n-1,
// that first occurrences are in order, that what is repeated begins no further
// back than it was and goes on one by one, and that the last one is the
// highest. It returns how many were repeated.
func requireRewinds(t testing.TB, records []brokertest.Record, keys, n int) (repeats int) {
	t.Helper()
	next, last := map[string]int{}, map[string]int{}
	for _, r := range records {
		key := string(r.Key)
		var v int
		_, err := fmt.Sscan(string(r.Value), &v)
		require.NoError(t, err)
		if prev, seen := last[key]; seen {
			require.LessOrEqual(t, v, prev+1, "key %s skips at %d/%d", key, r.Partition, r.Offset)
		}
		if v < next[key] {
			repeats++
		} else {
			require.Equal(t, next[key], v, "key %s: first occurrences are in order", key)
			next[key]++
		}
		last[key] = v
	}
	require.Len(t, next, keys)
	for key := range next {
		require.Equal(t, n, next[key], "messages of key %s", key)
		require.Equal(t, n-1, last[key], "the last one of key %s is the highest", key)
	}
	return repeats
}

// lag is how many messages of a topic a stage has not committed.
func lag(t testing.TB, addrs []string, group, topic string) (behind int64) {
	t.Helper()
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	lags, err := admin.Lag(t.Context(), group, topic)
	require.NoError(t, err)
	for _, l := range lags {
		behind += l.Behind()
	}
	return behind
}
