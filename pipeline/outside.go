package pipeline

import (
	"errors"
	"fmt"

	"github.com/penstock/penstock/schemas"
)

// Outside is how a filter writes to topics that are no pipes of its pipeline: those
// of other programs, or the one that a trigger wants its reply in. It may be used
// from many goroutines. Its zero value is not usable; NewOutside returns one.
type Outside[T any] struct {
	spec *pipeSpec[T]
}

// NewOutside says how records look outside: eventType is their ce_type. The codec
// defaults to schemas.Raw for []byte and to schemas.JSON for everything else, and
// the key to that of the message that the filter was given. Both may be nil.
func NewOutside[T any](eventType string, codec schemas.Codec[T], key func(T) string) Outside[T] {
	if isNil(codec) {
		codec = defaultCodec[T]()
	}
	n := &PipeNode{Name: "outside", Topic: eventType, Type: typeName[T](), ContentType: codec.ContentType()}
	return Outside[T]{&pipeSpec[T]{node: n, codec: codec, key: key}}
}

// OutsideWriter is implemented by a filter that writes to topics outside which are
// known when it is declared: they are checked before anything runs, and are among
// the rights that its stage needs.
type OutsideWriter interface {
	OutsideTopics() []string
}

// OutsideEncoder is implemented by an OutsideWriter that tells how it encodes, so that a
// codec with a schema is checked, and opened, like that of a pipe: see Outside.Codec.
type OutsideEncoder interface {
	OutsideCodec() any
}

// Codec is the schemas.Codec[T] of the Outside, or nil of a zero value.
func (o Outside[T]) Codec() any {
	if o.spec == nil {
		return nil
	}
	return o.spec.codec
}

// EmitOutside puts v into a topic outside. It is an output like any other: it has
// its id and its order, and the message is done only when it is stored. A topic
// that does not exist, or may not be written to, makes the message poison.
func EmitOutside[T, Own any](e *Emitter[Own], o Outside[T], topic string, v T, opts ...EmitOption) {
	if e.call.goesOutside(topic, o.spec != nil) {
		emit(e.call, o.spec, v, opts)
		e.call.redirect(topic)
	}
}

// ForwardOutside puts m into a topic outside, unchanged, with its headers and its
// sequence, and without encoding it again where the codecs are the same.
func ForwardOutside[T, Own any](e *Emitter[Own], o Outside[T], topic string, m *Message[T], opts ...EmitOption) {
	if e.call.goesOutside(topic, o.spec != nil) {
		forward(e.call, o.spec, m, opts)
		e.call.redirect(topic)
	}
}

// goesOutside refuses what no record could be made of.
func (c *callState) goesOutside(topic string, usable bool) bool {
	c.mustBeLive()
	if !usable {
		c.fail(errors.New("the Outside is a zero value; use one that NewOutside returned"))
		return false
	}
	if wrong := WrongTopic(topic); wrong != "" {
		c.fail(fmt.Errorf("write to topic %q: the name %s", topic, wrong))
		return false
	}
	return c.err == nil
}

// redirect sends the output that was added last to a topic.
func (c *callState) redirect(topic string) {
	if c.err == nil {
		c.outs.List[len(c.outs.List)-1].Outside = topic
	}
}

// outsideTopicsOf lists the topics outside that a filter names.
func outsideTopicsOf(p *Pipeline, at place, what string, f any) []string {
	w, ok := f.(OutsideWriter)
	if !ok {
		return nil
	}
	topics := w.OutsideTopics()
	for _, t := range topics {
		if wrong := WrongTopic(t); wrong != "" {
			p.problemf(at, "%s writes to topic %q, whose name %s", what, t, wrong)
		}
	}
	return topics
}
