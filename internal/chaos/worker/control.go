package worker

import (
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Control names a guarantee that the worker breaks on purpose, now and then: a
// negative control. The checker does not know which one is on, and must find it.
type Control string

// The controls.
const (
	// Faithful breaks nothing.
	Faithful Control = ""
	// Lose swallows outputs.
	Lose Control = "lose"
	// Rename stores an output twice, with ids of its own each.
	Rename Control = "rename"
	// Disorder stores an output behind the next one of its key.
	Disorder Control = "disorder"
	// Jump stores an output again, alone, behind the next one of its key.
	Jump Control = "jump"
	// Invent stores an output that no input makes.
	Invent Control = "invent"
	// Poison fails messages that nothing is wrong with.
	Poison Control = "poison"
)

// every says how seldom a control breaks something: once in so many messages of a
// key. It hits no message that belongs in a poison topic.
const every = 37

// middleware returns what goes around the filters of a worker.
func (c Control) middleware() ([]message.HandlerMiddleware, error) {
	breaks, known := map[Control]func(*held, *message.Message, flow.Message, []*message.Message) ([]*message.Message, error){
		Lose: func(*held, *message.Message, flow.Message, []*message.Message) ([]*message.Message, error) {
			return nil, nil
		},
		Rename: func(_ *held, _ *message.Message, m flow.Message, out []*message.Message) ([]*message.Message, error) {
			return append(out, message.NewMessage("another-"+m.Value(), out[len(out)-1].Payload)), nil
		},
		Disorder: func(h *held, _ *message.Message, m flow.Message, out []*message.Message) ([]*message.Message, error) {
			h.keep(m.Key, out)
			return nil, nil
		},
		Jump: func(h *held, _ *message.Message, m flow.Message, out []*message.Message) ([]*message.Message, error) {
			h.keep(m.Key, out)
			return out, nil
		},
		Invent: func(_ *held, in *message.Message, m flow.Message, out []*message.Message) ([]*message.Message, error) {
			m.Number += 1_000_000
			invented := flow.Message{Pipe: pipeOf(out), Key: m.Key, Number: m.Number}
			return append(out, message.NewMessage("invented-"+in.UUID, []byte(invented.Value()))), nil
		},
		Poison: func(_ *held, in *message.Message, _ flow.Message, _ []*message.Message) ([]*message.Message, error) {
			return nil, fmt.Errorf("message %s is failed on purpose", in.UUID)
		},
	}[c]
	switch {
	case c == Faithful:
		return nil, nil
	case !known:
		return nil, fmt.Errorf("%s is %q, and there is no such control", ControlVariable, string(c))
	}
	h := &held{outputs: map[string][]*message.Message{}}
	return []message.HandlerMiddleware{func(next message.HandlerFunc) message.HandlerFunc {
		return func(in *message.Message) ([]*message.Message, error) {
			out, err := next(in)
			if err != nil || len(out) == 0 {
				return out, err
			}
			m, err := flow.Parse(in.Payload)
			if err != nil {
				return nil, err
			}
			if m.Number%every == every-1 {
				return breaks(h, in, m, out)
			}
			// With ids of their own: what the filter made before has none yet.
			for _, kept := range h.take(m.Key) {
				out = append(out, message.NewMessage("kept-"+string(kept.Payload), kept.Payload))
			}
			return out, nil
		}
	}}, nil
}

func pipeOf(out []*message.Message) string {
	m, err := flow.Parse(out[0].Payload)
	if err != nil {
		return ""
	}
	return m.Pipe
}

// held keeps outputs until the next message of their key comes.
type held struct {
	mu      sync.Mutex
	outputs map[string][]*message.Message
}

func (h *held) keep(key string, outputs []*message.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.outputs[key] = outputs
}

func (h *held) take(key string) []*message.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.outputs[key]
	delete(h.outputs, key)
	return kept
}
