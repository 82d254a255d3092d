package router_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

const (
	sampledParent   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsampledParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func withParent(value string) brokertest.Record {
	return brokertest.Record{Key: []byte("k"), Value: []byte("v"), Headers: []brokertest.Header{{Key: "traceparent", Value: []byte(value)}}}
}

func spansOf(spans tracetest.SpanStubs, name string) (found tracetest.SpanStubs) {
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

func TestOneTraceGoesOverThreeStages(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	memory := tracetest.NewInMemoryExporter()
	var tries atomic.Int32
	p := pipeline.New("traced")
	in := pipeline.NewPipe[[]byte](p, "in")
	first := pipeline.Stage(in, "first", filters.Map(same))
	second := pipeline.Stage(first, "second", filters.Map(func(ctx context.Context, v []byte) ([]byte, error) {
		if !api.SpanFromContext(ctx).IsRecording() {
			return nil, filters.Rejectf("the filter's context has no span")
		}
		if tries.Add(1) < 4 {
			return nil, errBoom
		}
		return v, nil
	}), pipeline.Retry(2, pipeline.Constant(time.Millisecond)), pipeline.Park(5, pipeline.Constant(time.Millisecond)))
	pipeline.Stage(second, "third", filters.Map(same), pipeline.Open())
	r := start(t, addrs, p, router.Config{Tracer: trace.NewTracerProvider(trace.WithSyncer(memory))})
	brokertest.Produce(t, addrs, "traced.in", withParent(sampledParent))
	r.drained()
	r.stop()

	spans := memory.GetSpans()
	one, two, three := spansOf(spans, "process traced.first"), spansOf(spans, "process traced.second"), spansOf(spans, "process traced.third")
	require.Len(t, one, 1)
	require.Len(t, two, 4, "two attempts, and two more parked")
	require.Len(t, three, 1)
	for _, s := range spans {
		require.Equal(t, "0af7651916cd43dd8448eb211c80319c", s.SpanContext.TraceID().String())
		require.Equal(t, api.SpanKindConsumer, s.SpanKind)
	}
	require.Equal(t, "b7ad6b7169203331", one[0].Parent.SpanID().String())
	for i, s := range two {
		require.Equal(t, one[0].SpanContext.SpanID(), s.Parent.SpanID())
		attributes := map[string]any{}
		for _, a := range s.Attributes {
			attributes[string(a.Key)] = a.Value.AsInterface()
		}
		require.Equal(t, int64(i+1), attributes["penstock.attempt"])
		require.Equal(t, "second", attributes["penstock.stage"])
		require.Equal(t, "kafka", attributes["messaging.system"])
		require.Equal(t, "traced.first", attributes["messaging.destination.name"])
		if i < 3 {
			require.Equal(t, codes.Error, s.Status.Code)
			require.Equal(t, "boom", s.Status.Description)
		} else {
			require.Equal(t, codes.Unset, s.Status.Code)
		}
	}
	require.Equal(t, two[3].SpanContext.SpanID(), three[0].Parent.SpanID(), "the attempt that succeeded made it")
	require.Contains(t, header(brokertest.ReadAll(t, addrs, "traced.third")[0], "traceparent"), three[0].SpanContext.SpanID().String())
}

func TestTraceContextPassesThroughWhereNothingIsTraced(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	r := start(t, addrs, twoStages(), router.Config{})
	brokertest.Produce(t, addrs, "flow.in", withParent(sampledParent), brokertest.Record{Key: []byte("k"), Value: []byte("bare")})
	r.drained()
	out := brokertest.ReadAll(t, addrs, "flow.second")
	require.Len(t, out, 2)
	require.Equal(t, sampledParent, header(out[0], "traceparent"))
	for _, h := range out[1].Headers {
		require.NotEqual(t, "traceparent", h.Key)
	}
}

func TestTheParentDecidesWhatIsSampled(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	memory := tracetest.NewInMemoryExporter()
	tracer := trace.NewTracerProvider(trace.WithSyncer(memory), trace.WithSampler(trace.ParentBased(trace.AlwaysSample())))
	r := start(t, addrs, twoStages(), router.Config{Tracer: tracer})
	brokertest.Produce(t, addrs, "flow.in", withParent(unsampledParent))
	r.drained()
	r.stop()
	require.Empty(t, memory.GetSpans())
	require.Equal(t, unsampledParent, header(brokertest.ReadAll(t, addrs, "flow.second")[0], "traceparent"))
}
