package router_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

// parentNumber is a traceparent of a trace of its own.
func parentNumber(i int, flags string) string { return fmt.Sprintf("00-%032x-%016x-%s", i, i, flags) }

// attributesOf are the attributes of a span, by name.
func attributesOf(s *tracetest.SpanStub) map[string]any {
	all := map[string]any{}
	for _, a := range s.Attributes {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

// tracedBatches runs a batch filter over messages of one partition, each with a
// traceparent or none, in batches of as many, and returns the spans and where the
// outputs are said to come from.
func tracedBatches(t *testing.T, g *gathering, parents ...string) (spans tracetest.SpanStubs, outputs []string) {
	t.Helper()
	addrs := brokertest.New(t).Addrs()
	memory := tracetest.NewInMemoryExporter()
	g.max, g.wait = len(parents), time.Minute // what the messages fill is what ends a batch
	tracer := trace.NewTracerProvider(trace.WithSyncer(memory), trace.WithSampler(trace.ParentBased(trace.NeverSample())))
	r := start(t, addrs, batchPipeline(g, pipeline.Retry(2, pipeline.Constant(0))), router.Config{Tracer: tracer})
	records := make([]brokertest.Record, len(parents))
	for i, parent := range parents {
		records[i] = brokertest.Record{Key: []byte("k"), Value: fmt.Append(nil, i)}
		if parent != "" {
			records[i].Headers = []brokertest.Header{{Key: "traceparent", Value: []byte(parent)}}
		}
	}
	brokertest.Produce(t, addrs, "batch.in", records...)
	r.drained()
	r.stop()
	for _, record := range brokertest.ReadAll(t, addrs, "batch.work") {
		parent := ""
		for _, h := range record.Headers {
			if h.Key == "traceparent" {
				parent = string(h.Value)
			}
		}
		outputs = append(outputs, parent)
	}
	return memory.GetSpans(), outputs
}

func TestABatchHasOneSpanThatIsLinkedToItsMessages(t *testing.T) {
	t.Parallel()
	parents := []string{"", parentNumber(1, "00"), parentNumber(2, "01"), parentNumber(3, "01")}
	spans, outputs := tracedBatches(t, &gathering{}, parents...)
	require.Len(t, spans, 1)
	span := &spans[0]
	require.Equal(t, "process batch.work", span.Name)
	require.Equal(t, int64(4), attributesOf(span)["messaging.batch.message_count"])
	require.Equal(t, codes.Unset, span.Status.Code)
	require.Equal(t, "0000000000000002", span.Parent.SpanID().String(), "the first that is sampled: else it would have no span")
	require.Len(t, span.Links, 3, "one message names no span")
	for i, link := range span.Links {
		require.Equal(t, fmt.Sprintf("%032x", i+1), link.SpanContext.TraceID().String())
		require.Equal(t, fmt.Sprintf("%016x", i+1), link.SpanContext.SpanID().String())
		require.Equal(t, int64(i+1), link.Attributes[0].Value.AsInt64(), "the offset")
	}
	require.Equal(t, parents, outputs, "what is made of a message goes on in that one's trace")
}

func TestABatchWithoutASampledMessageHasNoSpan(t *testing.T) {
	t.Parallel()
	parents := []string{parentNumber(1, "00"), ""}
	spans, outputs := tracedBatches(t, &gathering{}, parents...)
	require.Empty(t, spans)
	require.Equal(t, parents, outputs)
}

func TestEachAttemptAtABatchHasASpanOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	g := &gathering{fail: func(call int, items []pipeline.Item[[]byte, []byte]) error {
		if call == 1 {
			items[1].Fail(errBoom)
		}
		return nil
	}}
	spans, outputs := tracedBatches(t, g, parentNumber(1, "01"), parentNumber(2, "01"))
	require.Len(t, spans, 2)
	require.Equal(t, codes.Error, spans[0].Status.Code)
	require.Equal(t, "boom", spans[0].Status.Description)
	require.Len(t, spans[0].Links, 2)
	require.Equal(t, int64(1), attributesOf(&spans[0])["penstock.attempt"])
	require.Equal(t, codes.Unset, spans[1].Status.Code)
	require.Len(t, spans[1].Links, 1)
	require.Equal(t, "0000000000000002", spans[1].Parent.SpanID().String())
	require.Equal(t, int64(2), attributesOf(&spans[1])["penstock.attempt"])
	require.ElementsMatch(t, []string{parentNumber(1, "01"), parentNumber(2, "01")}, outputs)
}
