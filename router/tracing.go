package router

import (
	"context"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/penstock/penstock/internal/attempt"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// tracerName names what makes the spans.
const tracerName = "github.com/penstock/penstock/router"

// Attributes of spans: those of OpenTelemetry's semantic conventions for messaging,
// and our own. The key of a message is none of them: it often names a person.
const (
	attrSystem        = attribute.Key("messaging.system")
	attrOperationType = attribute.Key("messaging.operation.type")
	attrOperationName = attribute.Key("messaging.operation.name")
	attrDestination   = attribute.Key("messaging.destination.name")
	attrPartition     = attribute.Key("messaging.destination.partition.id")
	attrOffset        = attribute.Key("messaging.kafka.offset")
	attrGroup         = attribute.Key("messaging.consumer.group.name")
	attrMessageID     = attribute.Key("messaging.message.id")
	attrJob           = attribute.Key("messaging.message.conversation_id")
	attrBatchCount    = attribute.Key("messaging.batch.message_count")
	attrErrorType     = attribute.Key("error.type")
	attrStage         = attribute.Key("penstock.stage")
	attrSource        = attribute.Key("penstock.source")
	attrAttempt       = attribute.Key("penstock.attempt")
)

// traceHeaders has an envelope's trace context read and written as a propagator
// does.
type traceHeaders struct{ env *schemas.Envelope }

// Get implements propagation.TextMapCarrier.
func (h traceHeaders) Get(name string) string {
	switch name {
	case schemas.HeaderTraceParent:
		return h.env.TraceParent
	case schemas.HeaderTraceState:
		return h.env.TraceState
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (h traceHeaders) Set(name, value string) {
	switch name {
	case schemas.HeaderTraceParent:
		h.env.TraceParent = value
	case schemas.HeaderTraceState:
		h.env.TraceState = value
	}
}

// Keys implements propagation.TextMapCarrier.
func (traceHeaders) Keys() []string {
	return []string{schemas.HeaderTraceParent, schemas.HeaderTraceState}
}

// parentOf is ctx with the span that the message was made in, if it names one.
func parentOf(ctx context.Context, env *schemas.Envelope) context.Context {
	if env.TraceParent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, traceHeaders{env})
}

// carry writes the trace context of ctx into env. One that is valid and not sampled
// stays as it came: a new one would say the same.
func carry(ctx context.Context, env *schemas.Envelope) {
	now := trace.SpanContextFromContext(ctx)
	if !now.IsValid() || !now.IsSampled() && env.TraceParent != "" {
		return
	}
	env.TraceState = ""
	propagation.TraceContext{}.Inject(ctx, traceHeaders{env})
}

// trace has a span made for each attempt from now on.
func (in *input) trace(tracer trace.Tracer, node *pipeline.StageNode) {
	if in.batch != nil {
		in.batch = tracedBatch(tracer, node, in.batch)
		return
	}
	in.attempt = traced(tracer, node, in.attempt)
}

// traced is call with a span around each attempt. The message's span is the parent of
// all its attempts; what a successful one makes carries the attempt's.
func traced(tracer trace.Tracer, node *pipeline.StageNode, call attempt.Func) attempt.Func {
	name := "process " + node.Group
	return func(ctx context.Context, d *pipeline.Delivery, out *pipeline.Outputs) error {
		ctx, span := tracer.Start(parentOf(ctx, &d.Envelope), name, trace.WithSpanKind(trace.SpanKindConsumer))
		defer span.End()
		if span.IsRecording() {
			span.SetAttributes(ofDelivery(node, d)...)
		}
		// A copy: the filter may keep it, and the next attempt begins with what came.
		own := *d
		carry(ctx, &own.Envelope)
		err := call(ctx, &own, out)
		failedSpan(span, err)
		if err == nil {
			d.TraceParent, d.TraceState = own.TraceParent, own.TraceState
		}
		return err
	}
}

func ofDelivery(node *pipeline.StageNode, d *pipeline.Delivery) []attribute.KeyValue {
	return append(ofBatch(node, d), attrOffset.Int64(d.Offset), attrMessageID.String(d.ID), attrJob.String(d.Job))
}

// ofBatch are the attributes that all messages of an attempt share.
func ofBatch(node *pipeline.StageNode, d *pipeline.Delivery) []attribute.KeyValue {
	return []attribute.KeyValue{
		attrSystem.String("kafka"), attrOperationType.String("process"), attrOperationName.String("process"),
		attrDestination.String(d.Topic), attrPartition.String(strconv.Itoa(int(d.Partition))), attrGroup.String(node.Group),
		attrStage.String(node.Name), attrAttempt.Int(d.Attempt),
	}
}

// tracedBatch is call with one span around each attempt at a batch, linked to all
// its messages. Its parent is the first of them that is sampled, else the first that
// names one, so that it is sampled where one of them is. What is made of a message
// goes on in that one's trace.
func tracedBatch(tracer trace.Tracer, node *pipeline.StageNode, call attempt.BatchFunc) attempt.BatchFunc {
	name := "process " + node.Group
	return func(ctx context.Context, ds []*pipeline.Delivery, outs []*pipeline.Outputs, errs []error) {
		links, parent := linksTo(ds)
		if parent.IsValid() {
			ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
		}
		ctx, span := tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...))
		defer span.End()
		if span.IsRecording() {
			span.SetAttributes(append(ofBatch(node, ds[0]), attrBatchCount.Int(len(ds)))...)
		}
		call(ctx, ds, outs, errs)
		for _, err := range errs {
			failedSpan(span, err)
		}
	}
}

func linksTo(ds []*pipeline.Delivery) (links []trace.Link, parent trace.SpanContext) {
	for _, d := range ds {
		sc := trace.SpanContextFromContext(parentOf(context.Background(), &d.Envelope))
		if !sc.IsValid() {
			continue
		}
		links = append(links, trace.Link{SpanContext: sc, Attributes: []attribute.KeyValue{attrOffset.Int64(d.Offset), attrMessageID.String(d.ID)}})
		if !parent.IsValid() || sc.IsSampled() && !parent.IsSampled() {
			parent = sc
		}
	}
	return links, parent
}

// failedSpan notes an error. A message that is skipped has none.
func failedSpan(span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	verdict, _ := pipeline.Judge(err)
	if verdict == pipeline.Skipped || verdict == pipeline.Done {
		return
	}
	text := cut(err.Error())
	span.SetAttributes(attrErrorType.String("_OTHER"))
	span.AddEvent("exception", trace.WithAttributes(attribute.String("exception.message", text)))
	span.SetStatus(codes.Error, text)
}

// sending begins the span of a trigger that is put, and writes its context into env.
// Where nothing is traced the trace that ctx, or env, is of goes on.
func (s *source) sending(ctx context.Context, t *pipeline.RawTrigger, env *schemas.Envelope) trace.Span {
	ctx = parentOf(ctx, env)
	if s.tracer == nil {
		carry(ctx, env)
		return nil
	}
	ctx, span := s.tracer.Start(ctx, "send "+t.Pipe.Topic, trace.WithSpanKind(trace.SpanKindProducer))
	if span.IsRecording() {
		span.SetAttributes(attrSystem.String("kafka"), attrOperationType.String("send"), attrOperationName.String("send"),
			attrDestination.String(t.Pipe.Topic), attrMessageID.String(env.ID), attrJob.String(env.Job), attrSource.String(s.name))
	}
	carry(ctx, env)
	return span
}

// sent ends the spans of triggers that were put, or were not.
func sent(spans []trace.Span, err error) {
	for _, span := range spans {
		failedSpan(span, err)
		span.End()
	}
}
