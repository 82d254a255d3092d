package router

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// BenchmarkTracing is the way of BenchmarkHotPath with and without spans.
func BenchmarkTracing(b *testing.B) {
	for _, c := range []struct {
		name    string
		sampler trace.Sampler // nil: off
	}{{"off", nil}, {"unsampled", trace.NeverSample()}, {"sampled", trace.AlwaysSample()}} {
		b.Run(c.name, func(b *testing.B) {
			h := newHotPath(b)
			parent := kafka.Header{Key: []byte("traceparent"), Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")}
			for i := range h.records {
				h.records[i].Headers = append(h.records[i].Headers, parent)
			}
			if c.sampler != nil {
				call := traced(trace.NewTracerProvider(trace.WithSampler(c.sampler)).Tracer(tracerName), h.stage.node, h.attempt)
				h.attempt = func(_ context.Context, d *pipeline.Delivery, out *pipeline.Outputs) error {
					return call(context.Background(), d, out) // the claim here has none
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range (b.N + hotBatch - 1) / hotBatch {
				h.batch(b)
			}
		})
	}
}
