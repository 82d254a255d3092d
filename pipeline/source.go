package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/schemas"
)

// Sourcer puts triggers into a pipe.
//
// Source runs until ctx ends, or until there will be nothing more to put: then
// it returns nil, and is not called again in this process. An error is logged,
// and Source is called again after a while. What it acknowledges to the outside it
// acknowledges only after emit has returned nil.
type Sourcer[T any] interface {
	Source(ctx context.Context, emit Emit[T]) error
}

// OnceSource is implemented by a source that may come upon the same thing again
// after a restart. Where Once is true each trigger must have an ID, and one whose
// ID was put before is not put again.
type OnceSource interface {
	Once() bool
}

// FiniteSource is implemented by a source that can end by itself. A run that ends
// when all work is done waits for the sources whose Finite is true, and for no
// others.
type FiniteSource interface {
	Finite() bool
}

// Emit puts triggers and returns nil only when all of them are stored. A trigger
// that cannot be encoded is refused with an error that [Judge] reads as Rejected,
// and then none is put; after any other error any of them may be stored. It may
// be called from many goroutines at once.
type Emit[T any] func(ctx context.Context, triggers ...Trigger[T]) error

// Trigger starts a job. Only Body is required.
type Trigger[T any] struct {
	Body T

	// ID names the job. A trigger that is put again with the same id makes the
	// same job. Defaults to where the trigger is stored.
	ID string

	// Key defaults to what the pipe's Key makes of Body, and without one to no
	// key.
	Key string

	// ReplyTo is the topic for the result.
	ReplyTo string

	// Time is when what the trigger tells of happened. Defaults to none.
	Time time.Time

	// Sequence counts the messages of a key from 1. 0 is none.
	Sequence int64

	// Headers travel with the trigger. The names that carry the envelope are
	// taken.
	Headers []schemas.Header
}

// PutFunc stores encoded triggers and returns nil only when all are stored.
type PutFunc func(ctx context.Context, ts ...RawTrigger) error

// RawTrigger is an encoded trigger.
type RawTrigger struct {
	Output
	ReplyTo string
	Time    time.Time
}

// Envelope is what goes out beside the trigger; source says who made it. A
// trigger without an id has none here: its reader gives it one.
func (t *RawTrigger) Envelope(source string) schemas.Envelope {
	return schemas.Envelope{
		ID:          t.ID,
		Key:         t.Key,
		HasKey:      t.HasKey,
		Sequence:    t.Sequence,
		Time:        t.Time,
		Type:        t.Pipe.Topic,
		Source:      source,
		ReplyTo:     t.ReplyTo,
		ContentType: t.Pipe.contentType(),
		Headers:     t.Headers,
	}
}

// Source declares a pipe and the source that puts triggers into it.
//
// It takes Key, Codec, Named, Partitions and Open.
func Source[T any](p *Pipeline, name string, src Sourcer[T], opts ...Option[T]) Pipe[T] {
	at := where()
	what := fmt.Sprintf("source %q", name)
	if p == nil {
		panic(fmt.Sprintf("pipeline: %s: %s is declared in a nil Pipeline; use pipeline.New", at, what))
	}
	set := apply(p, at, what, opts)
	set.refuse(p, at, what+" runs no filter", "move IT to the stages that read its pipe", stageOptions...)
	s := newPipe[T](p, set.nameOr(name), set, at)
	s.node.fromOutside, s.node.namedBy = true, set.namedBy(kindSource)
	n := &SourceNode{Name: name, Pipe: s.node, Location: at.String(), at: at, source: src}
	if isNil(src) {
		p.problemf(at, "%s is nil; give it a Sourcer", what)
	} else {
		bindSource(n, p.name, s, src)
		n.serve(p, src)
	}
	if p.open(at, what) {
		p.sources = append(p.sources, n)
	}
	return Pipe[T]{p, []*pipeSpec[T]{s}}
}

func bindSource[T any](n *SourceNode, pipeline string, s *pipeSpec[T], src Sourcer[T]) {
	if o, ok := any(src).(OnceSource); ok && o.Once() {
		n.Once, n.OnceTopic = true, pipeline+"."+n.Name+".once"
	}
	if f, ok := any(src).(FiniteSource); ok {
		n.Finite = f.Finite()
	}
	copies(n, pipeline, s, src)
	n.Run = func(ctx context.Context, put PutFunc) error {
		return src.Source(ctx, func(ctx context.Context, ts ...Trigger[T]) error {
			raw := make([]RawTrigger, len(ts))
			for i := range ts {
				if err := encodeTrigger(&raw[i], n, s, &ts[i]); err != nil {
					return fmt.Errorf("source %s, trigger %d of %d: %w", n.Name, i+1, len(ts), err)
				}
			}
			return put(ctx, raw...)
		})
	}
}

func encodeTrigger[T any](raw *RawTrigger, n *SourceNode, s *pipeSpec[T], t *Trigger[T]) error {
	value, key, hasKey, err := s.encode(t.Body)
	if err != nil {
		return err
	}
	if t.Key != "" {
		key, hasKey = t.Key, true
	}
	*raw = RawTrigger{
		Output:  Output{Pipe: s.node, ID: t.ID, Key: key, HasKey: hasKey, Value: value, Headers: t.Headers, Sequence: t.Sequence},
		ReplyTo: t.ReplyTo,
		Time:    t.Time,
	}
	if n.Once && t.ID == "" {
		return Reject(errors.New("it has no ID, which a source that puts each trigger once needs"))
	}
	for _, h := range t.Headers {
		if schemas.IsReserved(h.Name) {
			return Reject(fmt.Errorf("header %s belongs to the envelope; use another name", h.Name))
		}
	}
	env := raw.Envelope("")
	return Reject(env.Validate())
}
