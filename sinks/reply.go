package sinks

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock/penstock/pipeline"
)

// ReplyType is the ce_type of replies.
const ReplyType = "reply"

// Reply puts each message into the topic that the trigger of its job has named as
// its reply topic. The job's id is the reply's correlation id, ce_correlationid, by
// which who waits for it knows it. Of a job without a reply topic the message is
// skipped.
//
// The name of the topic comes from outside. So only those may be written to that
// are allowed: by their names, or by the beginning of their names with a * behind
// it, as in "replies.*". A message that asks for another one is poisoned, and so is
// one whose topic does not exist. Allow no topics of pipelines: who sends triggers
// could write into them.
//
// On a cluster that asks for rights the stage needs that of writing to these topics;
// those that are allowed by name are among what the command "topics acls" lists.
func Reply[T any](allowed []string, opts ...RecordOption[T]) pipeline.Filter[T, pipeline.None] {
	return &replySink[T]{allowed: allowed, to: outside(ReplyType, opts)}
}

type replySink[T any] struct {
	allowed []string
	to      pipeline.Outside[T]
}

// OutsideTopics implements pipeline.OutsideWriter.
func (s *replySink[T]) OutsideTopics() []string {
	var names []string
	for _, a := range s.allowed {
		if !strings.HasSuffix(a, "*") {
			names = append(names, a)
		}
	}
	return names
}

// OutsideCodec implements pipeline.OutsideEncoder.
func (s *replySink[T]) OutsideCodec() any { return s.to.Codec() }

// Open fails where what is allowed makes no sense.
func (s *replySink[T]) Open(context.Context) error {
	if len(s.allowed) == 0 {
		return pipeline.Reject(errors.New(`sink of replies: no topic is allowed; name those that triggers may ask for, as in "replies.*"`))
	}
	for _, a := range s.allowed {
		prefix, _ := strings.CutSuffix(a, "*")
		if wrong := pipeline.WrongTopic(prefix); wrong != "" {
			return pipeline.Reject(fmt.Errorf("sink of replies: what is allowed by %q %s; give a topic's name, or the beginning of one with a * behind it", a, wrong))
		}
	}
	return nil
}

// Close implements pipeline.Opener. There is nothing to close.
func (s *replySink[T]) Close(context.Context) error { return nil }

// Filter writes one reply.
func (s *replySink[T]) Filter(_ context.Context, m *pipeline.Message[T], out *pipeline.Emitter[pipeline.None]) error {
	if m.ReplyTo == "" {
		return fmt.Errorf("the job has no reply topic: %w", pipeline.ErrSkip)
	}
	if !s.allows(m.ReplyTo) {
		return pipeline.Reject(fmt.Errorf("the reply topic %q is not among those that are allowed: %s", m.ReplyTo, strings.Join(s.allowed, ", ")))
	}
	pipeline.ForwardOutside(out, s.to, m.ReplyTo, m)
	return nil
}

func (s *replySink[T]) allows(topic string) bool {
	for _, a := range s.allowed {
		if prefix, isPrefix := strings.CutSuffix(a, "*"); topic == a || isPrefix && strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}
