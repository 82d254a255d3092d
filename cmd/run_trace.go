package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

const (
	traceEndpointFlag = "trace-endpoint"
	traceRatioFlag    = "trace-ratio"
)

// checkTrace finds what is wrong with the flags of tracing.
func (f *runFlags) checkTrace() error {
	if !(f.traceRatio >= 0 && f.traceRatio <= 1) {
		return wrongUse("%s is %v: it must be between 0 and 1", given(f.flags, traceRatioFlag), f.traceRatio)
	}
	if f.traceEndpoint == "" {
		return nil
	}
	if at, err := url.Parse(f.traceEndpoint); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return wrongUse("%s must be a URL like http://127.0.0.1:4318", given(f.flags, traceEndpointFlag))
	}
	return nil
}

// trace has the job's spans sent, until it is stopped. What waits to be sent is
// bounded: where the collector does not keep up, spans are dropped. So are those that
// are not sent within what the stages leave of the time to stop.
func (j *job) trace(ctx context.Context, program string) (stop func() error, err error) {
	if j.flags.traceEndpoint == "" {
		return func() error { return nil }, nil
	}
	at, err := url.Parse(j.flags.traceEndpoint)
	if err != nil {
		return nil, wrongUse("%s must be a URL like http://127.0.0.1:4318", given(j.flags.flags, traceEndpointFlag))
	}
	if at.Path == "" || at.Path == "/" {
		at.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at.String()))
	if err != nil {
		return nil, fmt.Errorf("send spans to %s: %w", at.Redacted(), err)
	}
	// What the environment says comes last, and counts.
	service, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", program)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("send spans to %s: %w", at.Redacted(), err)
	}
	patient := &patientExporter{SpanExporter: exporter, log: j.log, ended: make(chan struct{})}
	spans := trace.NewBatchSpanProcessor(patient)
	j.cfg.Tracer = trace.NewTracerProvider(
		trace.WithResource(service),
		trace.WithSpanProcessor(spans),
		trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(j.flags.traceRatio))))
	return func() error {
		ending, cancel := j.stopTime.context(ctx)
		defer cancel()
		err := ending.Err()
		if err == nil {
			err = spans.Shutdown(ending)
		}
		if err != nil {
			j.log.Warn("the last spans were not sent", "error", err)
			_ = exporter.Shutdown(ending) // cuts off what is under way
			_ = spans.Shutdown(ending)    // where it was not begun above
			<-patient.ended
		}
		return nil
	}, nil
}

// patientExporter tells of spans that cannot be sent once a minute at most.
type patientExporter struct {
	trace.SpanExporter

	log  *slog.Logger
	told atomic.Int64 // when, in Unix seconds

	ended chan struct{} // closed by Shutdown, which comes once, after the last spans
}

// Shutdown implements trace.SpanExporter.
func (e *patientExporter) Shutdown(ctx context.Context) error {
	defer close(e.ended)
	return e.SpanExporter.Shutdown(ctx)
}

// ExportSpans implements trace.SpanExporter.
func (e *patientExporter) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	now, told := time.Now().Unix(), e.told.Load()
	if err != nil && now-told >= 60 && e.told.CompareAndSwap(told, now) {
		e.log.Warn("spans cannot be sent, and are dropped; messages go on", "error", err)
	}
	return nil
}
