// Package pipelinetest drives a pipeline in a test: synchronously, without a
// broker, and with time under control. What stages make and what they take out of
// the flow are values that a test looks at.
//
//	d := pipelinetest.New(t, Orders())
//	d.Put("placed", Order{ID: "1", Customer: "ann"})
//	require.Equal(t, []Line{…}, pipelinetest.Values[Line](d, "priced"))
//	require.Empty(t, d.Failures("price"))
//
// Filters are called as in a program: with decoded values of messages that were
// encoded, through the stage's middleware, with its time-out. So are failures
// judged: tried again, parked, poisoned. Only the waits are those of a clock that
// [Driver.Advance] and [Driver.Drain] move. It is the driver's: a filter that reads
// the time itself reads the real one, unless the test runs in a bubble of
// testing/synctest.
//
// The same test runs on the embedded broker, through all that a program does,
// where New is given [OnBroker].
package pipelinetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// Driver drives a pipeline. Its methods may be called from many goroutines; they
// run one after the other. What a test did wrong, a pipe that does not exist for
// one, fails the test.
type Driver struct {
	t     testing.TB
	graph *pipeline.Graph
	set   settings
	on    engine
	mux   handlers

	mu sync.Mutex
}

// engine is what runs the stages.
type engine interface {
	// put stores records in topics, and has the stages do what they can.
	put(ctx context.Context, outs []kafka.Output) error
	// advance lets time pass, and has the stages do what is due by then.
	advance(ctx context.Context, d time.Duration) error
	// drain lets as much time pass as there is something to wait for.
	drain(ctx context.Context) error
	// read returns all records of a topic, in order.
	read(ctx context.Context, topic string) ([]kafka.Record, error)
	// failures lists what a stage has poisoned, in order.
	failures(ctx context.Context, n *pipeline.StageNode) ([]Failure, error)
	// skipped is how many messages a stage has skipped.
	skipped(n *pipeline.StageNode) int64
}

// Option is an option of New.
type Option func(*settings)

type settings struct {
	stages   []string
	onBroker bool
}

// Stage has only the named stages run. What is put into the pipes that they read
// is all that comes to them. Defaults to all stages.
func Stage(names ...string) Option {
	return func(s *settings) { s.stages = append(s.stages, names...) }
}

// OnBroker runs the same test through the embedded broker and a router. There time
// is the real one, but for the waits before a message is tried again or what is
// parked is tried: they are a millisecond. So each call that lets the stages do
// something lets them do all there is to do, and what is put returns no sooner than
// what has to be tried again is through. Topics have one partition.
func OnBroker() Option {
	return func(s *settings) { s.onBroker = true }
}

// New builds a pipeline and opens the filters of its stages. They are closed when
// the test ends. Sources do not run: see [Driver.RunSource] and [Driver.Handler].
func New(t testing.TB, p *pipeline.Pipeline, opts ...Option) *Driver {
	t.Helper()
	graph, err := p.Build()
	if err != nil {
		t.Fatalf("build the pipeline: %v", err)
	}
	d := &Driver{t: t, graph: graph}
	for _, o := range opts {
		o(&d.set)
	}
	for _, name := range d.set.stages {
		d.stage(name)
	}
	if d.set.onBroker {
		d.on = newBrokerEngine(t, graph, d.set.stages)
	} else {
		d.on = newMemoryEngine(t, graph, d.set.stages)
	}
	return d
}

// Graph is the pipeline as data: its topology.
func (d *Driver) Graph() *pipeline.Graph { return d.graph }

// Put puts values, which must be of the pipe's type, into a pipe and has the stages
// do what can be done before time passes. Each value has the key that the pipe's
// Key makes of it.
func (d *Driver) Put(pipe string, values ...any) {
	d.t.Helper()
	triggers := make([]pipeline.Trigger[any], len(values))
	for i, v := range values {
		triggers[i].Body = v
	}
	PutTriggers(d, pipe, triggers...)
}

// PutTriggers is Put for triggers that have ids, keys or headers of their own.
func PutTriggers[T any](d *Driver, pipe string, triggers ...pipeline.Trigger[T]) {
	d.t.Helper()
	n := d.pipe(pipe)
	outs := make([]kafka.Output, len(triggers))
	for i := range triggers {
		t := &triggers[i]
		value, key, hasKey, err := n.Encode(t.Body)
		if err != nil {
			d.t.Fatalf("put into pipe %s: value %d of %d: %v", pipe, i+1, len(triggers), err)
		}
		if t.Key != "" {
			key, hasKey = t.Key, true
		}
		raw := pipeline.RawTrigger{
			Output:  pipeline.Output{Pipe: n, ID: t.ID, Key: key, HasKey: hasKey, Value: value, Headers: t.Headers, Sequence: t.Sequence},
			ReplyTo: t.ReplyTo, Time: t.Time,
		}
		outs[i] = output(&raw)
	}
	d.put(outs)
}

// PutRecord puts a record as any program may have written it into a pipe: with a
// value that may not decode, and headers that may be wrong. A nil key is none.
func (d *Driver) PutRecord(pipe string, key, value []byte, headers ...schemas.Header) {
	d.t.Helper()
	out := kafka.Output{Topic: d.pipe(pipe).Topic, Key: key, Value: value}
	for _, h := range headers {
		out.Headers = append(out.Headers, kafka.Header{Key: []byte(h.Name), Value: h.Value})
	}
	d.put([]kafka.Output{out})
}

func (d *Driver) put(outs []kafka.Output) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.on.put(d.t.Context(), outs); err != nil {
		d.t.Fatalf("put %d messages: %v", len(outs), err)
	}
}

// Advance lets time pass: messages that wait for another attempt are tried when
// they are due, in the order of their times.
func (d *Driver) Advance(by time.Duration) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.on.advance(d.t.Context(), by); err != nil {
		d.t.Fatalf("advance by %v: %v", by, err)
	}
}

// Drain lets as much time pass as messages wait for, until none does. What an
// operator has to decide about is not waited for.
func (d *Driver) Drain() {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.on.drain(d.t.Context()); err != nil {
		d.t.Fatalf("drain: %v", err)
	}
}

// output is a trigger as a record.
func output(t *pipeline.RawTrigger) kafka.Output {
	env := t.Envelope("pipelinetest")
	headers, _ := schemas.AppendHeaders[kafka.Header](nil, nil, &env)
	out := kafka.Output{Topic: t.Topic(), Value: t.Value, Headers: headers}
	if t.HasKey {
		out.Key = append([]byte{}, t.Key...)
	}
	return out
}

// pipe finds a pipe by its name.
func (d *Driver) pipe(name string) *pipeline.PipeNode {
	d.t.Helper()
	return find(d, "pipe", name, d.graph.Pipes, func(n *pipeline.PipeNode) string { return n.Name })
}

// stage finds a stage by its name.
func (d *Driver) stage(name string) *pipeline.StageNode {
	d.t.Helper()
	return find(d, "stage", name, d.graph.Stages, func(n *pipeline.StageNode) string { return n.Name })
}

// find finds a node of the graph by its name. That there is none is the test's
// mistake.
func find[N any](d *Driver, kind, name string, nodes []*N, nameOf func(*N) string) *N {
	d.t.Helper()
	var names []string
	for _, n := range nodes {
		if nameOf(n) == name {
			return n
		}
		names = append(names, nameOf(n))
	}
	d.t.Fatalf("pipeline %s has no %s %q; it has %q", d.graph.Name, kind, name, names)
	return nil
}
