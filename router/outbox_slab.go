package router

import "github.com/penstock/penstock/router/kafka"

// slab is what the headers and keys of outputs lie in.
type slab struct {
	headers []kafka.Header
	bytes   []byte
}

// reserve makes room for one output. To grow what is full would move what
// outputs point to, so it begins a new one, twice as large.
func (s *slab) reserve(headers, bytes int) {
	if cap(s.headers)-len(s.headers) < headers {
		s.headers = make([]kafka.Header, 0, max(2*cap(s.headers), headers))
	}
	if cap(s.bytes)-len(s.bytes) < bytes {
		s.bytes = make([]byte, 0, max(2*cap(s.bytes), bytes))
	}
}

// reuse empties the slab, whose outputs nobody needs any more. One that a burst
// has made large is let go.
func (s *slab) reuse() {
	const keepHeaders, keepBytes = 1 << 10, 64 << 10
	clear(s.headers) // they may point to what a filter made
	s.headers, s.bytes = s.headers[:0], s.bytes[:0]
	if cap(s.headers) > keepHeaders || cap(s.bytes) > keepBytes {
		*s = slab{}
	}
}
