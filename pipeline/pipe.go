package pipeline

import (
	"context"
	"fmt"
	"reflect"

	"github.com/penstock/penstock/schemas"
)

// Pipe is a typed, keyed stream between stages. Its zero value is not usable;
// Source, NewPipe, Stage, Merge and the cases of a Branch return one.
type Pipe[T any] struct {
	p     *Pipeline
	specs []*pipeSpec[T] // more than one after Merge
}

// AnyPipe is a Pipe of any type.
type AnyPipe interface {
	owner() *Pipeline
	nodes() []*PipeNode
}

func (p Pipe[T]) owner() *Pipeline { return p.p }

func (p Pipe[T]) nodes() []*PipeNode {
	ns := make([]*PipeNode, len(p.specs))
	for i, s := range p.specs {
		ns[i] = s.node
	}
	return ns
}

// mustExist panics for a zero Pipe: it belongs to no pipeline whose Build could
// report it.
func (p Pipe[T]) mustExist(at place, what string) {
	if p.p == nil {
		panic(fmt.Sprintf("pipeline: %s: %s reads a zero Pipe; give it one that Source, NewPipe, Stage, Merge or a Branch returned", at, what))
	}
}

// pipeSpec is a pipe with its types: one topic, one codec, one key.
type pipeSpec[T any] struct {
	node  *PipeNode
	codec schemas.Codec[T]
	key   func(T) string // nil: the parent's key
}

// NewPipe declares a pipe that this pipeline does not feed itself, or feeds only
// from a filter's side outlet: other programs publish into it.
//
// It takes Key, Codec, Partitions and Open.
func NewPipe[T any](p *Pipeline, name string, opts ...Option[T]) Pipe[T] {
	at := where()
	if p == nil {
		panic(fmt.Sprintf("pipeline: %s: pipe %q is declared in a nil Pipeline; use pipeline.New", at, name))
	}
	set := apply(p, at, fmt.Sprintf("pipe %q", name), opts)
	set.refuse(p, at, fmt.Sprintf("pipe %q has no filter", name), "move IT to the stages that read the pipe", stageOptions...)
	set.refuse(p, at, fmt.Sprintf("pipe %q already has its name", name), "give it the right one as the second argument", optNamed)
	s := newPipe[T](p, name, set, at)
	s.node.fromOutside = true
	return Pipe[T]{p, []*pipeSpec[T]{s}}
}

// newPipe adds a pipe to p. The settings are those that apply returned.
func newPipe[T any](p *Pipeline, name string, set *Settings, at place) *pipeSpec[T] {
	n := &PipeNode{
		Name:       name,
		Topic:      p.name + "." + name,
		Type:       typeName[T](),
		Partitions: set.partitions,
		Open:       set.open,
		at:         at,
	}
	s := &pipeSpec[T]{node: n, codec: defaultCodec[T]()}
	if set.codec != nil {
		c, ok := set.codec.(schemas.Codec[T])
		switch {
		case !ok:
			p.problemf(at, "the Codec of pipe %q is %T, but the pipe carries %s; use a schemas.Codec[%s]", name, set.codec, n.Type, n.Type)
		case !reflect.ValueOf(c).Comparable():
			p.problemf(at, "the Codec of pipe %q, %T, cannot be compared with ==; make it a struct of comparable fields or a pointer", name, c)
		default:
			s.codec = c
			if set.has(optCodec) { // else it is reported where it was given
				checkSchema(p, at, fmt.Sprintf("the Codec of pipe %q", name), c)
			}
		}
	}
	if set.key != nil {
		k, ok := set.key.(func(T) string)
		if !ok {
			p.problemf(at, "the Key of pipe %q is a %T, but the pipe carries %s; use a func(%s) string", name, set.key, n.Type, n.Type)
		}
		s.key = k
	}
	n.Keyed = s.key != nil
	n.codec, n.ContentType = s.codec, s.codec.ContentType()
	n.encode, n.decode, n.encodeJSON = s.encodeAny, s.decodeAny, s.encodeJSON
	if p.open(at, fmt.Sprintf("pipe %q", name)) {
		p.pipes = append(p.pipes, n)
	}
	return s
}

// typeName is how a user would write the type.
func typeName[T any]() string {
	if t := reflect.TypeFor[T](); t != reflect.TypeFor[[]byte]() {
		return t.String()
	}
	return "[]byte"
}

// defaultCodec is Raw for []byte and JSON for all else.
func defaultCodec[T any]() schemas.Codec[T] {
	if c, ok := any(schemas.Raw()).(schemas.Codec[T]); ok {
		return c
	}
	return schemas.JSON[T]()
}

func (s *pipeSpec[T]) encode(v T) (value []byte, key string, hasKey bool, err error) {
	value, err = s.codec.Encode(v)
	if err != nil {
		return nil, "", false, codecError(fmt.Errorf("pipe %s: %w", s.node.Name, err))
	}
	if s.key != nil {
		return value, s.key(v), true, nil
	}
	return value, "", false, nil
}

func (s *pipeSpec[T]) encodeAny(v any) (value []byte, key string, hasKey bool, err error) {
	t, ok := v.(T)
	if !ok {
		return nil, "", false, Reject(fmt.Errorf("pipe %s carries %s, not %T", s.node.Name, s.node.Type, v))
	}
	return s.encode(t)
}

func (s *pipeSpec[T]) decodeAny(ctx context.Context, b []byte) (any, error) {
	return s.decode(ctx, b)
}

func (s *pipeSpec[T]) decode(ctx context.Context, b []byte) (T, error) {
	v, err := s.codec.Decode(ctx, b)
	if err != nil {
		if ctx.Err() == nil {
			err = codecError(fmt.Errorf("pipe %s: %w", s.node.Name, err))
		}
		return v, err
	}
	return v, nil
}

// encodeJSON takes JSON from a person, whatever the pipe's codec is. Where the
// codec is Raw there is no type to read it as: the bytes are the value.
func (s *pipeSpec[T]) encodeJSON(ctx context.Context, b []byte) (value []byte, key string, hasKey bool, err error) {
	from := schemas.JSON[T]()
	if any(s.codec) == any(schemas.Raw()) {
		from = s.codec
	}
	v, err := from.Decode(ctx, b)
	if err != nil {
		return nil, "", false, codecError(fmt.Errorf("pipe %s: %w", s.node.Name, err))
	}
	return s.encode(v)
}
