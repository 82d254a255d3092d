package router_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// gathering is a batch filter that notes its batches and fails as it is told.
type gathering struct {
	max  int
	wait time.Duration
	fail func(call int, items []pipeline.Item[[]byte, []byte]) error

	mu      sync.Mutex
	batches [][]string
}

func (g *gathering) Batch() (int, time.Duration) { return g.max, g.wait }

func (g *gathering) Filter(context.Context, *pipeline.Message[[]byte], *pipeline.Emitter[[]byte]) error {
	return fmt.Errorf("a batch filter was given a single message: %w", errBoom)
}

func (g *gathering) FilterBatch(_ context.Context, items []pipeline.Item[[]byte, []byte]) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var values []string
	for _, item := range items {
		values = append(values, string(item.Body))
		item.Out.Emit(item.Body)
	}
	g.batches = append(g.batches, values)
	if g.fail == nil {
		return nil
	}
	return g.fail(len(g.batches), items)
}

func (g *gathering) seen() [][]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.batches
}

func batchPipeline(g *gathering, opts ...pipeline.Option[[]byte]) *pipeline.Pipeline {
	p := pipeline.New("batch")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(2))
	pipeline.Stage(in, "work", g, append(opts, pipeline.Open())...)
	return p
}

func TestBatchesAreFullOrLate(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	g := &gathering{max: 10, wait: 50 * time.Millisecond}
	r := start(t, addrs, batchPipeline(g), router.Config{})
	brokertest.Produce(t, addrs, "batch.in", numbered(1, 95)...)
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "batch.work"), 1, 95)
	full := 0
	for _, b := range g.seen() {
		require.LessOrEqual(t, len(b), 10)
		if len(b) == 10 {
			full++
		}
	}
	require.GreaterOrEqual(t, full, 8, "batches are gathered over what the transport delivers: %v", g.seen())
}

func TestOfABatchOnlyWhatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	g := &gathering{max: 4, wait: time.Hour, fail: func(call int, items []pipeline.Item[[]byte, []byte]) error {
		switch call {
		case 1:
			return errBoom // all of it
		case 2:
			items[1].Fail(errBoom)
			items[3].Fail(pipeline.Reject(errBoom))
		}
		return nil
	}}
	r := start(t, addrs, batchPipeline(g, pipeline.Retry(3, pipeline.Constant(time.Millisecond))), router.Config{})
	brokertest.Produce(t, addrs, "batch.in", numbered(1, 4)...)
	r.drained()
	require.Equal(t, [][]string{{"0", "1", "2", "3"}, {"0", "1", "2", "3"}, {"1"}}, g.seen())
	requireSequences(t, brokertest.ReadAll(t, addrs, "batch.work"), 1, 3)
	got := poisoned(t, addrs, "batch.work.poison")
	require.Len(t, got, 1)
	require.Equal(t, "3", string(got[0].Value))
	require.Equal(t, 2, got[0].Attempts)
}

func TestAPanicFailsItsBatch(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	g := &gathering{max: 2, wait: time.Hour, fail: func(int, []pipeline.Item[[]byte, []byte]) error { panic(errBoom) }}
	r := start(t, addrs, batchPipeline(g, pipeline.Retry(2, pipeline.Constant(0))), router.Config{})
	brokertest.Produce(t, addrs, "batch.in", numbered(1, 2)...)
	r.drained()
	require.Len(t, g.seen(), 2)
	require.Len(t, poisoned(t, addrs, "batch.work.poison"), 2)
}

func TestAStopDoesNotWaitForABatchToFill(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := batchPipeline(&gathering{max: 1000, wait: time.Hour})
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "batch.in", numbered(1, 30)...)
	r.stop() // whether it has begun to gather or not: nothing is lost or repeated
	r = start(t, addrs, batchPipeline(&gathering{max: 1, wait: 0}), router.Config{})
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "batch.work"), 1, 30)
}

func TestABatchStoppedBetweenAttemptsGoesOnInOrder(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	failed := make(chan struct{}, 1)
	g := &gathering{max: 4, wait: time.Hour, fail: func(_ int, items []pipeline.Item[[]byte, []byte]) error {
		items[1].Fail(errBoom)
		failed <- struct{}{}
		return nil
	}}
	r := start(t, addrs, batchPipeline(g, pipeline.Retry(2, pipeline.Constant(5*time.Second))), router.Config{})
	brokertest.Produce(t, addrs, "batch.in", numbered(1, 4)...)
	<-failed
	r.stop()
	require.Len(t, brokertest.ReadAll(t, addrs, "batch.work"), 1, "what is behind the failed one waits for it")
	r = start(t, addrs, batchPipeline(&gathering{max: 4, wait: time.Millisecond}), router.Config{})
	r.drained()
	requireSequences(t, brokertest.ReadAll(t, addrs, "batch.work"), 1, 4)
}
