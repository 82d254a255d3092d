package sinks

import (
	"context"

	"github.com/penstock/penstock/pipeline"
)

// Topic puts each message into a topic that is no pipe of the pipeline: one that
// other programs read. The message goes on with its headers, its sequence and its
// reply topic, and with an id of its own that is the same on every attempt; those of
// one key stay in order. It is done when Kafka has it.
//
// The topic has to exist before the stage runs, since it is not this pipeline's to
// make. Where other pipelines of the same program are to read it, declare it there
// with [pipeline.NewPipe].
func Topic[T any](topic string, opts ...RecordOption[T]) pipeline.Filter[T, pipeline.None] {
	return &topicSink[T]{topic: topic, to: outside(topic, opts)}
}

type topicSink[T any] struct {
	topic string
	to    pipeline.Outside[T]
}

// OutsideTopics implements pipeline.OutsideWriter.
func (s *topicSink[T]) OutsideTopics() []string { return []string{s.topic} }

// OutsideCodec implements pipeline.OutsideEncoder.
func (s *topicSink[T]) OutsideCodec() any { return s.to.Codec() }

// Filter writes one message.
func (s *topicSink[T]) Filter(_ context.Context, m *pipeline.Message[T], out *pipeline.Emitter[pipeline.None]) error {
	pipeline.ForwardOutside(out, s.to, s.topic, m)
	return nil
}
