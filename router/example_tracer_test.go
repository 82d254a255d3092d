package router_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/router"
)

// Each attempt has a span. A program sends them to a collector; here they are kept
// in memory.
func ExampleConfig_tracer() {
	pay := filters.Map(func(_ context.Context, order string) (string, error) { return order, nil })
	spans := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	err := inSetting(pay, []string{"order-1"}, func(s setting) error {
		if err := s.run(router.Config{Tracer: provider}); err != nil {
			return err
		}
		return provider.ForceFlush(s.ctx)
	})
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name)
	}
	fmt.Println(err)
	// Output:
	// process shop.pay
	// <nil>
}
