package parking

import "github.com/penstock/penstock/router/kafka"

// cache keeps payloads of live messages, by slot, while there is room. A payload
// that finds none is not kept; none has to go for another.
type cache struct {
	max      int64
	bytes    int64
	payloads map[int32]*Park
}

// payloadOverhead is about what a payload takes beside its bytes.
const payloadOverhead = 512

func (c *cache) reset() { c.bytes, c.payloads = 0, map[int32]*Park{} }

func (c *cache) get(si int32) *Park { return c.payloads[si] }

// put keeps a copy of p: its bytes belong to a response that is much larger.
func (c *cache) put(si int32, p *Park) {
	c.remove(si)
	n := payloadSize(p)
	if c.bytes+n > c.max {
		return
	}
	c.bytes += n
	c.payloads[si] = clonePark(p)
}

func (c *cache) remove(si int32) {
	if p, ok := c.payloads[si]; ok {
		c.bytes -= payloadSize(p)
		delete(c.payloads, si)
	}
}

func payloadSize(p *Park) int64 {
	n := payloadOverhead + messageSize(&p.Message) + len(p.FirstError) + len(p.LastError)
	if p.Replay != nil {
		n += payloadOverhead + len(p.Replay.FirstError) + len(p.Replay.By) + len(p.Replay.SourceTopic)
	}
	return int64(n)
}

func messageSize(m *Message) int {
	const header = 48
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += header + len(h.Key) + len(h.Value)
	}
	return n
}

// clonePark copies what p points to. Texts are strings, which never change.
func clonePark(p *Park) *Park {
	c := *p
	if p.Replay != nil {
		r := *p.Replay
		c.Replay = &r
	}
	bytes := make([]byte, 0, messageSize(&p.Message))
	part := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		from := len(bytes)
		bytes = append(bytes, b...)
		return bytes[from:len(bytes):len(bytes)]
	}
	c.Message = Message{Key: part(p.Message.Key), Value: part(p.Message.Value)}
	if p.Message.Headers != nil {
		c.Message.Headers = make([]kafka.Header, len(p.Message.Headers))
		for i, h := range p.Message.Headers {
			c.Message.Headers[i] = kafka.Header{Key: part(h.Key), Value: part(h.Value)}
		}
	}
	return &c
}
