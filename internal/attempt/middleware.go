package attempt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// passage is one message on its way through the user's middleware.
type passage struct {
	d    *pipeline.Delivery
	out  *pipeline.Outputs
	base int                // the outputs from here on are this passage's
	made []*message.Message // made[i] stands for out.List[base+i]
}

type passageKey struct{}

// throughMiddleware puts the user's Watermill middleware around call. The
// message that it sees has the delivery's id as its UUID, the record's
// uninterpreted headers as its metadata and the value as its payload; the
// messages that come back stand for the outputs. What the middleware changes of
// payloads and metadata counts.
func throughMiddleware(node *pipeline.StageNode, call pipeline.Call) Func {
	handler := func(m *message.Message) ([]*message.Message, error) {
		p, ok := m.Context().Value(passageKey{}).(*passage)
		if !ok {
			return nil, errors.New("the middleware replaced the message's context by one that is not made from it")
		}
		return p.call(m, call)
	}
	for _, mw := range slices.Backward(node.Middleware) {
		handler = mw(handler)
	}
	return func(ctx context.Context, d *pipeline.Delivery, out *pipeline.Outputs) error {
		p := &passage{d: d, out: out, base: len(out.List)}
		made, err := handler(p.message(ctx))
		if err != nil {
			p.drop()
			return err
		}
		return p.collect(node, made)
	}
}

func (p *passage) message(ctx context.Context) *message.Message {
	m := message.NewMessage(p.d.ID, p.d.Value)
	for _, h := range p.d.Headers {
		m.Metadata.Set(h.Name, string(h.Value))
	}
	m.SetContext(context.WithValue(ctx, passageKey{}, p))
	return m
}

// call runs the filter. Middleware may call it more than once: only the last
// time counts.
func (p *passage) call(m *message.Message, call pipeline.Call) ([]*message.Message, error) {
	p.drop()
	d := *p.d
	d.Value = m.Payload
	if err := call(m.Context(), &d, p.out); err != nil {
		return nil, err
	}
	p.made = make([]*message.Message, len(p.out.List)-p.base)
	for i := range p.made {
		o := &p.out.List[p.base+i]
		made := message.NewMessage(o.ID, o.Value)
		for _, h := range o.Headers {
			made.Metadata.Set(h.Name, string(h.Value))
		}
		p.made[i] = made
	}
	return p.made, nil
}

func (p *passage) drop() {
	clear(p.out.List[p.base:])
	p.out.List = p.out.List[:p.base]
	p.made = nil
}

// collect turns what came back into outputs. A message that is not one of the
// filter's goes into the stage's own pipe with the parent's key.
func (p *passage) collect(node *pipeline.StageNode, back []*message.Message) error {
	outputs := make([]pipeline.Output, 0, len(back))
	for _, m := range back {
		var o pipeline.Output
		switch i := slices.Index(p.made, m); {
		case i >= 0:
			o = p.out.List[p.base+i]
		case len(node.Outputs) == 0:
			return pipeline.Reject(fmt.Errorf("middleware made a message, but stage %s has no pipe for it", node.Group))
		default:
			o = pipeline.Output{Pipe: node.Outputs[0], Key: p.d.Key, HasKey: p.d.HasKey}
		}
		o.ID, o.Value, o.Headers = m.UUID, m.Payload, headersOf(m.Metadata, o.Headers)
		outputs = append(outputs, o)
	}
	p.out.List = append(p.out.List[:p.base], outputs...)
	return nil
}

// headersOf are the headers of a message that came back: those it had, in
// their order and with the values that the metadata has for them now, and then
// those that were added, sorted by name. A name that occurred more than once
// keeps all its values unless it was removed: metadata has room for one only.
func headersOf(metadata message.Metadata, was []schemas.Header) []schemas.Header {
	count := make(map[string]int, len(was))
	for _, h := range was {
		count[h.Name]++
	}
	var headers []schemas.Header
	for _, h := range was {
		v, kept := metadata[h.Name]
		if !kept {
			continue
		}
		if count[h.Name] == 1 {
			h.Value = []byte(v)
		}
		headers = append(headers, h)
	}
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		if count[name] == 0 && !schemas.IsReserved(name) {
			headers = append(headers, schemas.Header{Name: name, Value: []byte(metadata[name])})
		}
	}
	return headers
}
