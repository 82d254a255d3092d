package router_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// BenchmarkStage moves messages of 200 bytes with a key through one stage,
// envelope, ids, poison and commits on. The embedded broker runs in the same
// process and takes its share of what is measured.
func BenchmarkStage(b *testing.B) {
	addrs := brokertest.New(b).Addrs()
	p := pipeline.New("bench")
	in := pipeline.NewPipe[[]byte](p, "in", pipeline.Partitions(4))
	pipeline.Stage(in, "work", filters.Map(same), pipeline.Partitions(4), pipeline.Open())
	r := start(b, addrs, p, router.Config{Logger: slog.New(slog.DiscardHandler)})
	r.stop()

	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		records := make([]brokertest.Record, 100_000)
		for i := range records {
			records[i] = brokertest.Record{Key: fmt.Appendf(nil, "key-%05d", i%10_000), Value: make([]byte, 200)}
		}
		brokertest.Produce(b, addrs, "bench.in", records...)
		b.StartTimer()
		r := start(b, addrs, p, router.Config{Logger: slog.New(slog.DiscardHandler)})
		r.drained()
		b.StopTimer()
		r.stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "msg/s")
}
