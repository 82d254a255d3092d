package router

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// What the router may allocate for a message that succeeds: nothing of its own. Its
// delivery and its call, which filters may keep, and its ids lie in slabs: those of
// a batch, and those of 32 calls. The headers of outputs lie in one that is used
// again when they are flushed.
const (
	allocsPerMessage = 0.05
	bytesPerMessage  = 560
)

// The way of a message through the router, from the record that the transport
// hands over to the one that it is handed, keeps its budget.
func TestTheHotPathKeepsItsBudget(t *testing.T) { //nolint:paralleltest // counts all that the process allocates
	const runs = 20
	h := newHotPath(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	allocs := testing.AllocsPerRun(runs, func() { h.batch(t) }) / hotBatch
	runtime.ReadMemStats(&after)
	bytes := float64(after.TotalAlloc-before.TotalAlloc) / ((runs + 1) * hotBatch)
	require.Equal(t, (runs+1)*hotBatch, h.made, "AllocsPerRun runs once more to warm up")
	require.LessOrEqual(t, allocs, allocsPerMessage)
	require.LessOrEqual(t, bytes, float64(bytesPerMessage))
	t.Logf("%.3f allocations and %.0f bytes a message", allocs, bytes)
}

// BenchmarkHotPath is the same way: ns, bytes and allocations of one message.
func BenchmarkHotPath(b *testing.B) {
	h := newHotPath(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range (b.N + hotBatch - 1) / hotBatch {
		h.batch(b)
	}
}

// hotPath is a stage of a filter that does nothing, without a transport.
type hotPath struct {
	stage   *stage
	worker  inlineWorker
	claim   *kafka.Claim
	attempt attempt.Func
	records []kafka.Record
	made    int
}

const hotBatch = 512

func newHotPath(tb testing.TB) *hotPath {
	tb.Helper()
	p := pipeline.New("budget")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v []byte) ([]byte, error) { return v, nil }), pipeline.Open())
	graph, err := p.Build()
	require.NoError(tb, err)
	node := graph.Stages[0]
	s := &stage{router: &Router{cfg: Config{}.withDefaults(), solitude: newSolitude(nil)}, node: node, log: slog.New(slog.DiscardHandler)}
	h := &hotPath{
		stage: s, claim: &kafka.Claim{}, attempt: attempt.New(node, node.Calls[0]), records: make([]kafka.Record, hotBatch),
		worker: inlineWorker{stage: s, out: outbox{stage: s}},
	}
	for i := range h.records {
		e := schemas.Envelope{ID: fmt.Sprintf("a-message-%06d", i), Job: fmt.Sprintf("a-trigger-%06d", i), Type: "placed", Source: "shop", ContentType: schemas.ContentTypeRaw}
		h.records[i] = kafka.Record{Topic: "budget.in", Offset: int64(i), Key: fmt.Appendf(nil, "key-%05d", i), Value: make([]byte, 200)}
		h.records[i].Headers, _ = schemas.AppendHeaders(h.records[i].Headers, nil, &e)
	}
	return h
}

// batch does what the worker's loop does, but for what is the transport's.
func (h *hotPath) batch(tb testing.TB) {
	tb.Helper()
	w := &h.worker
	ds := newDeliveries(len(h.records))
	item := new(laneItem)
	for i := range h.records {
		if i%flushMessages == 0 {
			w.out.slab.reuse()
		}
		*item = laneItem{record: &h.records[i], ds: ds, index: i}
		d, err := item.ds.read(i, h.stage, h.claim, item.record, &w.text)
		if err != nil {
			tb.Fatal(err)
		}
		if o, _ := h.stage.step(h.claim.Context(), &w.at, h.claim, d, h.attempt, &w.outputs, &item.f); o != succeeded {
			tb.Fatal(item.f.last)
		}
		for j := range w.outputs.List {
			if out := w.out.record(&w.out.slab, d, j, &w.outputs.List[j]); len(out.Headers) > 0 {
				h.made++
			}
		}
	}
}
