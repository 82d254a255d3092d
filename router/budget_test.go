package router

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// What the router may allocate for a message that succeeds: its call, which
// filters may keep, and its output's id. For a batch come slabs: deliveries,
// headers, text.
const (
	allocsPerMessage = 2
	allocsPerBatch   = 32
)

// The way of a message through the router, from the record that the transport
// hands over to the one that it is handed, keeps its budget.
func TestTheHotPathKeepsItsBudget(t *testing.T) { //nolint:paralleltest // counts all that the process allocates
	const batch = 512
	p := pipeline.New("budget")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v []byte) ([]byte, error) { return v, nil }), pipeline.Open())
	graph, err := p.Build()
	require.NoError(t, err)
	node := graph.Stages[0]
	s := &stage{router: &Router{cfg: Config{}.withDefaults()}, node: node, log: slog.New(slog.DiscardHandler)}
	records := make([]kafka.Record, batch)
	for i := range records {
		e := schemas.Envelope{ID: fmt.Sprintf("a-trigger-%06d", i), Job: "a-job", Type: "placed", Source: "shop", ContentType: schemas.ContentTypeRaw}
		records[i] = kafka.Record{Topic: "budget.in", Offset: int64(i), Key: fmt.Appendf(nil, "key-%05d", i), Value: make([]byte, 200)}
		records[i].Headers, _ = schemas.AppendHeaders(records[i].Headers, nil, &e)
	}
	var (
		claim   = &kafka.Claim{}
		w       = inlineWorker{stage: s, claim: claim, out: outbox{stage: s}}
		attempt = newAttempt(node, node.Calls[0])
		made    int
	)
	got := testing.AllocsPerRun(20, func() {
		w.out.begin(batch)
		ds := newDeliveries(batch)
		item := new(laneItem)
		for i := range records {
			*item = laneItem{record: &records[i], ds: ds, index: i}
			d, err := item.ds.read(i, s, claim, item.record, &w.text)
			if err != nil {
				t.Fatal(err)
			}
			if o, _ := s.step(claim, d, attempt, &w.outputs, &item.f); o != succeeded {
				t.Fatal(item.f.last)
			}
			for j := range w.outputs.List {
				if out := w.out.record(d, j, &w.outputs.List[j]); len(out.Headers) > 0 {
					made++
				}
			}
		}
	})
	require.Equal(t, 21*batch, made, "AllocsPerRun runs once more to warm up")
	require.LessOrEqual(t, got, float64(batch*allocsPerMessage+allocsPerBatch))
	t.Logf("%.2f allocations a message", got/batch)
}
