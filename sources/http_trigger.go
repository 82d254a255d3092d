package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/internal/webhook"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// Headers of a request that say something of its trigger.
const (
	headerIdempotencyKey = "Idempotency-Key"
	headerEventID        = "Ce-Id"
	headerEventTime      = "Ce-Time"
	headerEventSequence  = "Ce-Sequence"
)

// trigger makes the trigger of a request.
func (s *httpSource[T]) trigger(r *http.Request, body []byte) (t pipeline.Trigger[T], p *problem) {
	if t.ID, p = s.id(r.Header); p != nil {
		return t, p
	}
	var err error
	if at := r.Header.Get(headerEventTime); at != "" {
		if t.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return t, refuse(http.StatusBadRequest, "the header %s is no time as RFC 3339 has it, like 2026-11-22T21:20:00Z", headerEventTime)
		}
	}
	if n := r.Header.Get(headerEventSequence); n != "" {
		if t.Sequence, err = strconv.ParseInt(n, 10, 64); err != nil || t.Sequence < 1 {
			return t, refuse(http.StatusBadRequest, "the header %s is no whole number above 0", headerEventSequence)
		}
	}
	env := schemas.Envelope{ID: t.ID, Time: t.Time}
	if err := env.Validate(); err != nil {
		return t, refuse(http.StatusBadRequest, "%v", err)
	}
	t.Body, p = decode[T](body, s.strict)
	return t, p
}

// id is the trigger's. Where a signature is asked for, only what is signed counts.
func (s *httpSource[T]) id(h http.Header) (string, *problem) {
	if s.signed {
		return h.Get(webhook.HeaderID), nil
	}
	key, event := h.Get(headerIdempotencyKey), h.Get(headerEventID)
	if unquoted := strings.TrimSuffix(strings.TrimPrefix(key, `"`), `"`); len(unquoted) == len(key)-2 {
		key = unquoted // a string of RFC 8941, as the header's draft has it
	}
	switch {
	case key != "" && event != "" && key != event:
		return "", refuse(http.StatusBadRequest, "the headers %s and %s name different ids; send one", headerIdempotencyKey, headerEventID)
	case key != "":
		return key, nil
	case event != "":
		return event, nil
	}
	return newID(), nil
}

// decode reads a body as a T, or says which field is wrong.
func decode[T any](body []byte, strict bool) (v T, p *problem) {
	if raw, ok := any(&v).(*[]byte); ok {
		*raw = body
		return v, nil
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return v, refuse(http.StatusBadRequest, "the body is empty")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if strict {
		d.DisallowUnknownFields()
	}
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is something behind the JSON value")
		}
	}
	if err != nil {
		var zero T // what was read before the error is nobody's
		return zero, badBody(err)
	}
	return v, nil
}

// badBody says what is wrong with a body in the words of who sent it, who does not
// know the types of this program.
func badBody(err error) *problem {
	const unknownField = "json: unknown field "
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		p := refuse(http.StatusBadRequest, "the JSON type of the body, %s, is not the one that is expected", wrong.Value)
		if wrong.Field != "" {
			p.Field = wrong.Field
			p.Detail = fmt.Sprintf("the JSON type of field %s, %s, is not the one that is expected", wrong.Field, wrong.Value)
		}
		return p
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return refuse(http.StatusBadRequest, "the body is no JSON: %v (at byte %d)", err, syntax.Offset)
	}
	if name, ok := strings.CutPrefix(err.Error(), unknownField); ok {
		p := refuse(http.StatusBadRequest, "field %s is unknown", name)
		p.Field = strings.Trim(name, `"`)
		return p
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(http.StatusBadRequest, "the body is no JSON: it ends in the middle")
	}
	return refuse(http.StatusBadRequest, "the body cannot be decoded: %v", err)
}
