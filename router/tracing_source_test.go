package router_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/sources"
)

func TestATriggerThatIsPutBeginsATrace(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	memory := tracetest.NewInMemoryExporter()
	p := pipeline.New("traced")
	in := pipeline.Source(p, "in", sources.Func(func(ctx context.Context, emit pipeline.Emit[[]byte]) error {
		return emit(ctx, pipeline.Trigger[[]byte]{ID: "one", Body: []byte("1")}, pipeline.Trigger[[]byte]{ID: "two", Body: []byte("2")})
	}, sources.Finite()), pipeline.Partitions(1))
	pipeline.Stage(in, "work", filters.Map(same), pipeline.Open())
	r := start(t, addrs, p, router.Config{Tracer: trace.NewTracerProvider(trace.WithSyncer(memory))})
	r.drained()
	r.stop()

	sends, works := spansOf(memory.GetSpans(), "send traced.in"), spansOf(memory.GetSpans(), "process traced.work")
	require.Len(t, sends, 2)
	require.Len(t, works, 2)
	require.NotEqual(t, sends[0].SpanContext.TraceID(), sends[1].SpanContext.TraceID(), "each trigger is a job of its own")
	records := brokertest.ReadAll(t, addrs, "traced.in")
	for i, id := range []string{"one", "two"} {
		s := &sends[i]
		require.False(t, s.Parent.IsValid())
		require.Equal(t, api.SpanKindProducer, s.SpanKind)
		require.Equal(t, codes.Unset, s.Status.Code)
		has := attributesOf(s)
		require.Equal(t, "traced.in", has["messaging.destination.name"])
		require.Equal(t, "send", has["messaging.operation.type"])
		require.Equal(t, "traced.in", has["penstock.source"])
		require.Equal(t, id, has["messaging.message.id"])
		require.Contains(t, header(records[i], "traceparent"), s.SpanContext.SpanID().String())
		require.Equal(t, s.SpanContext.SpanID(), works[i].Parent.SpanID())
	}
}

func TestASpanTellsThatATriggerWasNotStored(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	memory := tracetest.NewInMemoryExporter()
	refused := make(chan error, 1)
	p := pipeline.New("traced")
	pipeline.Source(p, "in", sources.Func(func(ctx context.Context, emit pipeline.Emit[[]byte]) error {
		refused <- emit(ctx, pipeline.Trigger[[]byte]{Body: make([]byte, 3<<20)})
		return nil
	}, sources.Finite()), pipeline.Open())
	r := start(t, addrs, p, router.Config{Tracer: trace.NewTracerProvider(trace.WithSyncer(memory))})
	require.Error(t, <-refused)
	r.stop()
	sends := memory.GetSpans()
	require.Len(t, sends, 1)
	require.Equal(t, codes.Error, sends[0].Status.Code)
}

// The trace of who calls goes on in the pipeline, whether spans are made here or not.
func TestARequestsTraceGoesOn(t *testing.T) {
	t.Parallel()
	for name, traced := range map[string]bool{"with spans": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addrs := brokertest.New(t).Addrs()
			memory := tracetest.NewInMemoryExporter()
			cfg := router.Config{HTTP: "127.0.0.1:0"}
			if traced {
				cfg.Tracer = trace.NewTracerProvider(trace.WithSyncer(memory))
			}
			p := pipeline.New("web")
			pipeline.Source(p, "notes", sources.HTTP[[]byte]("POST /notes"), pipeline.Open())
			r := start(t, addrs, p, cfg)
			c := client(t)
			require.Eventually(t, func() bool {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.SourcesAddress()+"/notes", strings.NewReader("hi"))
				require.NoError(t, err)
				req.Header.Set("Traceparent", sampledParent)
				req.Header.Set("Tracestate", "vendor=opaque")
				resp, err := c.Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				return resp.StatusCode == http.StatusAccepted
			}, waitFor, tick)
			r.stop()

			record := brokertest.ReadAll(t, addrs, "web.notes")[0]
			require.Equal(t, "vendor=opaque", header(record, "tracestate"))
			if !traced {
				require.Equal(t, sampledParent, header(record, "traceparent"))
				return
			}
			sends := memory.GetSpans()
			require.Len(t, sends, 1)
			require.Equal(t, "0af7651916cd43dd8448eb211c80319c", sends[0].SpanContext.TraceID().String())
			require.Equal(t, "b7ad6b7169203331", sends[0].Parent.SpanID().String())
			require.Contains(t, header(record, "traceparent"), sends[0].SpanContext.SpanID().String())
		})
	}
}
