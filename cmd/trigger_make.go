package cmd

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// triggerSource is the source that an operator's triggers name.
const triggerSource = "trigger"

// triggerMaker makes records of values.
type triggerMaker struct {
	flags   *triggerFlags
	pipe    *pipeline.PipeNode // nil: values go into topic as they are
	topic   string
	headers []schemas.Header
}

// made is a trigger that is ready to be stored.
type made struct {
	line int // of standard input, from 1; 0: there is only this one
	id   string
	out  kafka.Output
}

// make makes a trigger. The value may be kept.
func (m *triggerMaker) make(ctx context.Context, line int, value []byte) (made, error) {
	t := made{line: line, id: m.id(line), out: kafka.Output{Topic: m.topic, Value: value}}
	if m.pipe != nil {
		encoded, key, hasKey, err := m.pipe.EncodeJSON(ctx, value)
		if err != nil {
			return made{}, fmt.Errorf("%s: %w", subject(line), err)
		}
		t.out.Value = encoded
		if hasKey {
			t.out.Key = []byte(key)
		}
	}
	if m.flags.flags.Changed(keyFlag) {
		t.out.Key = []byte(m.flags.key)
	}
	if limit := m.flags.maxMessageBytes; len(t.out.Value) > limit {
		return made{}, fmt.Errorf("%s: the value has %d bytes, and stages work on up to %d: make it smaller, or raise --%s here and in the run", subject(line), len(t.out.Value), limit, maxMessageBytesFlag)
	}
	env := m.envelope(t.id)
	t.out.Headers, _ = schemas.AppendHeaders[kafka.Header](nil, nil, &env)
	return t, nil
}

func (m *triggerMaker) id(line int) string {
	switch {
	case m.flags.id == "":
		return rand.Text()
	case line == 0:
		return m.flags.id
	}
	return fmt.Sprintf("%s-%d", m.flags.id, line)
}

func (m *triggerMaker) envelope(id string) schemas.Envelope {
	e := schemas.Envelope{ID: id, Type: m.topic, Source: triggerSource, ReplyTo: m.flags.replyTo, Headers: m.headers}
	if m.pipe != nil {
		e.ContentType = m.pipe.ContentType
	}
	return e
}

// longestLine is a line number whose id is as long as any.
const longestLine = 1<<63 - 1

// checkEnvelope finds what a stage would refuse to read, before anything is
// stored.
func (m *triggerMaker) checkEnvelope() error {
	e := m.envelope(m.id(longestLine))
	if err := e.Validate(); err != nil {
		return wrongUse("%w", err)
	}
	return nil
}
