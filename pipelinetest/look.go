package pipelinetest

import (
	"slices"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// Message is one message of a pipe.
type Message struct {
	schemas.Envelope

	Value     []byte
	Topic     string
	Partition int32
	Offset    int64
}

// Failure is a message that a stage took out of the flow.
type Failure struct {
	// Message is what could not succeed. Its envelope has what could be read.
	Message

	Stage    string
	Attempts int
	// First and Last are the errors of the first and the last attempt.
	First, Last string
}

// Values returns what is in a pipe, in order. T is the pipe's type.
func Values[T any](d *Driver, pipe string) []T {
	d.t.Helper()
	n := d.pipe(pipe)
	messages := d.Messages(pipe)
	values := make([]T, 0, len(messages))
	for _, m := range messages {
		v, err := n.Decode(d.t.Context(), m.Value)
		if err != nil {
			d.t.Fatalf("read pipe %s at offset %d: %v", pipe, m.Offset, err)
		}
		value, ok := v.(T)
		if !ok {
			d.t.Fatalf("pipe %s is of %s, not of %T", pipe, n.Type, value)
		}
		values = append(values, value)
	}
	return values
}

// Messages returns what is in a pipe, in order, as it is stored: for a test of
// keys, ids and headers.
func (d *Driver) Messages(pipe string) []Message {
	d.t.Helper()
	n := d.pipe(pipe)
	return d.topic(n.Topic)
}

// Outside returns what filters have written to a topic that is no pipe of the
// pipeline.
func (d *Driver) Outside(topic string) []Message {
	d.t.Helper()
	return d.topic(topic)
}

func (d *Driver) topic(topic string) []Message {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	records, err := d.on.read(d.t.Context(), topic)
	if err != nil {
		d.t.Fatalf("read topic %s: %v", topic, err)
	}
	messages := make([]Message, len(records))
	for i := range records {
		messages[i] = message(&records[i])
	}
	return messages
}

// Failures lists what a stage has poisoned, in order.
func (d *Driver) Failures(stage string) []Failure {
	d.t.Helper()
	n := d.stage(stage)
	d.mu.Lock()
	defer d.mu.Unlock()
	list, err := d.on.failures(d.t.Context(), n)
	if err != nil {
		d.t.Fatalf("read what stage %s has poisoned: %v", stage, err)
	}
	return list
}

// Skipped is how many messages a stage has skipped.
func (d *Driver) Skipped(stage string) int64 {
	d.t.Helper()
	n := d.stage(stage)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.on.skipped(n)
}

// message reads a record's envelope as far as that goes.
func message(r *kafka.Record) Message {
	m := Message{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
	m.Value, _ = schemas.ReadEnvelope(&m.Envelope, r.Key, r.Value, r.Headers, text)
	return m
}

func text(b []byte) string { return string(b) }

// runs is the stages that are named, or all.
func runs(g *pipeline.Graph, names []string) []*pipeline.StageNode {
	if len(names) == 0 {
		return g.Stages
	}
	return slices.DeleteFunc(slices.Clone(g.Stages), func(n *pipeline.StageNode) bool { return !slices.Contains(names, n.Name) })
}
