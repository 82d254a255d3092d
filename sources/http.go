package sources

import (
	"context"
	"net/http"

	"github.com/penstock/penstock/pipeline"
)

// HTTP puts a trigger for each request that matches the pattern, which is one of
// [http.ServeMux] with a method, as in "POST /orders". What runs the pipeline has
// one listener for all such sources.
//
// The body is JSON of a T; where T is []byte, it is taken as it is. The answer is
//
//   - 202 with the trigger's id, {"id":"…"}, when Kafka has it, and never before;
//   - 400 for what does not decode, naming the field, 401 for who is not allowed,
//     408, 413 and 415 for what comes too slowly, is too large or of another type,
//     422 for what can be decoded and not be stored;
//   - 503 with Retry-After when it cannot be stored now: Kafka is away, too much is
//     under way, or the process starts or stops. Whether it was stored is not
//     known then: a client that sends it again should do so under the same id.
//
// All but the 202 are problems as RFC 9457 has them, application/problem+json.
//
// The id is that of the header Idempotency-Key, or of ce-id, which CloudEvents
// have, or with [Signed] of webhook-id; without one it is made up. The same id makes
// the same job, with the same ids in it, so that sinks can leave out what they have
// done. ce-time is the trigger's time, and ce-sequence its sequence.
//
// To stop, it answers the requests that are under way and refuses others.
func HTTP[T any](pattern string, opts ...HTTPOption) pipeline.Sourcer[T] {
	s := &httpSource[T]{pattern: pattern, httpSettings: defaultHTTPSettings()}
	for _, opt := range opts {
		opt(&s.httpSettings)
	}
	s.places = make(chan struct{}, max(s.maxRequests, 1))
	return s
}

type httpSource[T any] struct {
	pattern string
	httpSettings

	gate   httpGate[T]
	places chan struct{} // a token for each request that is under way
}

// Route implements pipeline.ServedSource.
func (s *httpSource[T]) Route() string { return s.pattern }

// Open fails where an option is wrong.
func (s *httpSource[T]) Open(context.Context) error {
	return pipeline.Reject(s.check(s.pattern))
}

// Close implements pipeline.Opener. There is nothing to close.
func (s *httpSource[T]) Close(context.Context) error { return nil }

// Source lets requests in until ctx ends, and returns when all are answered. Each
// has a bounded time.
func (s *httpSource[T]) Source(ctx context.Context, emit pipeline.Emit[T]) error {
	s.gate.open(emit)
	<-ctx.Done()
	s.gate.close()
	return nil
}

// ServeHTTP answers one request.
func (s *httpSource[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	emit := s.gate.enter()
	if emit == nil {
		w.Header().Set("Connection", "close") // the next one finds a process that works
		unavailable("the service is starting or stopping").write(w)
		return
	}
	defer s.gate.leave()
	if p := s.guarded(w, r, emit); p != nil {
		p.write(w)
	}
}
