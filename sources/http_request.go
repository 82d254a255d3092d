package sources

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/penstock/penstock/internal/webhook"
	"github.com/penstock/penstock/pipeline"
)

// guarded answers a request, or returns why not. A panic, which only the type's own
// decoding or the pipe's Key can come to, is the answer to this request alone.
func (s *httpSource[T]) guarded(w http.ResponseWriter, r *http.Request, emit pipeline.Emit[T]) (p *problem) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("a request made the source panic", "route", s.pattern, "panic", v, "stack", string(debug.Stack()))
			p = refuse(http.StatusInternalServerError, "the request could not be handled")
		}
	}()
	if p := s.knows(r); p != nil {
		return p
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return unavailable("too many requests are under way")
	}
	deadline := time.Now().Add(s.timeout)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(deadline)                  // not supported by a recorder, which need not
	_ = control.SetWriteDeadline(deadline.Add(answerTime)) // it must get out still when the time is up
	ctx, cancel := context.WithDeadline(r.Context(), deadline)
	defer cancel()

	body, p := s.read(w, r)
	if p != nil {
		return p
	}
	t, p := s.trigger(r, body)
	if p != nil {
		return p
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	if p := s.put(ctx, emit, t); p != nil {
		return p
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": t.ID}) //nolint:errchkjson // as for a problem
	return nil
}

// answerTime is how long a client may take to read its answer.
const answerTime = 10 * time.Second

// knows tells whether the request has one of the tokens. All are compared, by their
// hashes, so that the time says nothing.
func (s *httpSource[T]) knows(r *http.Request) *problem {
	if !s.bearer {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for i := range s.tokens {
		found |= subtle.ConstantTimeCompare(given[:], s.tokens[i][:])
	}
	if found == 0 || !strings.EqualFold(scheme, "Bearer") {
		p := refuse(http.StatusUnauthorized, "the request has no bearer token that is known here")
		p.challenge = true
		return p
	}
	return nil
}

// read reads the body, as far as it is of a kind that can be taken.
func (s *httpSource[T]) read(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	if p := s.takes(r); p != nil {
		return nil, p
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", s.maxBody)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "the body did not come within %v", s.timeout)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body could not be read to its end")
	}
	if s.signed {
		if err := webhook.Verify(r.Header, body, s.secrets, time.Now(), s.maxAge); err != nil {
			return nil, refuse(http.StatusUnauthorized, "%v", err)
		}
	}
	return body, nil
}

// takes tells whether the body is of a type that is decoded here.
func (s *httpSource[T]) takes(r *http.Request) *problem {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "the body is encoded as %q; send it as it is", e)
	}
	if isBytes[T]() {
		return nil
	}
	given := r.Header.Get("Content-Type")
	if given == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(given)
	json := media == "application/json" || strings.HasSuffix(media, "+json") && media != "application/cloudevents+json"
	if err != nil || !json {
		return refuse(http.StatusUnsupportedMediaType, "the body is of type %q; send application/json, and the attributes of a CloudEvent as headers", given)
	}
	return nil
}

func isBytes[T any]() bool { return reflect.TypeFor[T]() == reflect.TypeFor[[]byte]() }

// put stores the trigger.
func (s *httpSource[T]) put(ctx context.Context, emit pipeline.Emit[T], t pipeline.Trigger[T]) *problem {
	err := emit(ctx, t)
	if err == nil {
		return nil
	}
	if verdict, _ := pipeline.Judge(err); verdict == pipeline.Rejected {
		return refuse(http.StatusUnprocessableEntity, "the trigger cannot be stored: %v", err)
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // else it is the client who has gone
		s.log.Warn("a trigger could not be stored", "route", s.pattern, "id", t.ID, "error", err)
	}
	return unavailable("the trigger could not be stored now")
}

// newID makes up an id: 130 bits that nobody can guess.
func newID() string { return rand.Text() }
