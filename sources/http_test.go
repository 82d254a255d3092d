package sources_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/sources"
)

type order struct {
	Customer string `json:"customer"`
	Lines    []line `json:"lines"`
}

type line struct {
	SKU    string `json:"sku"`
	Amount int    `json:"amount"`
}

// store takes triggers as a router does.
type store struct {
	mu   sync.Mutex
	got  []pipeline.RawTrigger
	err  error                           // of each put
	wait func(ctx context.Context) error // called by each put first
}

func (s *store) put(ctx context.Context, ts ...pipeline.RawTrigger) error {
	if s.wait != nil {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.got = append(s.got, ts...)
	}
	return s.err
}

func quiet() sources.HTTPOption { return sources.Logger(slog.New(slog.DiscardHandler)) }

// accepting runs a source as a router does, and returns its handler and what stops
// it.
func accepting[T any](t testing.TB, s *store, opts ...sources.HTTPOption) (h http.Handler, stop func()) {
	t.Helper()
	p := pipeline.New("shop")
	pipeline.Source(p, "placed", sources.HTTP[T]("POST /orders", append(opts, quiet())...), pipeline.Open())
	graph, err := p.Build()
	require.NoError(t, err)
	n := graph.Sources[0]
	require.Equal(t, "POST /orders", n.Route)
	require.NoError(t, n.Open(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx, s.put) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, n.Close(context.Background()))
	})
	t.Cleanup(stop)
	require.Eventually(t, func() bool { // a request without a body is refused for that, once it is let in
		w := httptest.NewRecorder()
		n.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/orders", http.NoBody))
		return w.Code != http.StatusServiceUnavailable
	}, 30*time.Second, time.Millisecond)
	s.mu.Lock()
	s.got = nil
	s.mu.Unlock()
	return n.Handler, stop
}

type answer struct {
	ID     string `json:"id"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
	Status int    `json:"status"`
}

// status posts an empty order, in a goroutine of its own.
func status(h http.Handler) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(`{}`)))
	return w.Code
}

// post sends a body with headers, given as name and value in turn.
func post(t testing.TB, h http.Handler, body string, headers ...string) (*httptest.ResponseRecorder, answer) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var a answer
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), w.Body.String())
	if w.Code == http.StatusAccepted {
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	} else {
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.Equal(t, w.Code, a.Status)
	}
	return w, a
}

func TestHTTPAnswersWithTheIDOfWhatIsStored(t *testing.T) {
	t.Parallel()
	var s store
	h, _ := accepting[order](t, &s)
	w, a := post(t, h, `{"customer":"ann","lines":[{"sku":"pen","amount":2}],"more":1}`, "Content-Type", "application/json; charset=utf-8")
	require.Equal(t, http.StatusAccepted, w.Code)
	require.Len(t, s.got, 1)
	require.Equal(t, a.ID, s.got[0].ID)
	require.Len(t, a.ID, 26)
	require.JSONEq(t, `{"customer":"ann","lines":[{"sku":"pen","amount":2}]}`, string(s.got[0].Value))
}

func TestHTTPTakesIDAndAttributesFromHeaders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		id      string
	}{
		"idempotency key":        {[]string{"Idempotency-Key", "a-1"}, "a-1"},
		"quoted idempotency key": {[]string{"Idempotency-Key", `"a-1"`}, "a-1"},
		"CloudEvent":             {[]string{"ce-id", "a-2", "ce-time", "2026-11-22T21:20:00Z", "ce-sequence", "7"}, "a-2"},
		"both, equal":            {[]string{"ce-id", "a-3", "Idempotency-Key", "a-3"}, "a-3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s store
			h, _ := accepting[order](t, &s)
			w, a := post(t, h, `{}`, c.headers...)
			require.Equal(t, http.StatusAccepted, w.Code)
			require.Equal(t, c.id, a.ID)
			require.Equal(t, c.id, s.got[0].ID)
			if name == "CloudEvent" {
				require.Equal(t, time.Date(2026, 11, 22, 21, 20, 0, 0, time.UTC), s.got[0].Time)
				require.Equal(t, int64(7), s.got[0].Sequence)
			}
		})
	}
}

func TestHTTPRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", schemas.MaxAttribute+1)
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		detail  string
		field   string
	}{
		"type of a field":      {`{"customer":1}`, nil, 400, "the JSON type of field customer, number, is not", "customer"},
		"type of a deep field": {`{"lines":[{"amount":"two"}]}`, nil, 400, "the JSON type of field lines.amount, string, is not", "lines.amount"},
		"type of the body":     {`[]`, nil, 400, "the JSON type of the body, array, is not", ""},
		"unknown field":        {`{"custmer":"ann"}`, nil, 400, `field "custmer" is unknown`, "custmer"},
		"no JSON":              {`{"customer":ann}`, nil, 400, "the body is no JSON: invalid character 'a' looking for beginning of value (at byte 13)", ""},
		"half":                 {`{"customer":"a`, nil, 400, "it ends in the middle", ""},
		"more":                 {`{} {}`, nil, 400, "something behind the JSON value", ""},
		"nothing":              {" \n", nil, 400, "the body is empty", ""},
		"too large":            {`{"customer":"` + strings.Repeat("x", 200) + `"}`, nil, 413, "more than 100 bytes", ""},
		"another type":         {`{}`, []string{"Content-Type", "text/plain"}, 415, "application/json", ""},
		"no type":              {`{}`, []string{"Content-Type", ";"}, 415, "application/json", ""},
		"structured event":     {`{}`, []string{"Content-Type", "application/cloudevents+json"}, 415, "attributes of a CloudEvent as headers", ""},
		"compressed":           {`{}`, []string{"Content-Encoding", "gzip"}, 415, "gzip", ""},
		"ids that differ":      {`{}`, []string{"ce-id", "1", "Idempotency-Key", "2"}, 400, "different ids", ""},
		"id that is too long":  {`{}`, []string{"ce-id", long}, 400, "ce_id", ""},
		"id that is no text":   {`{}`, []string{"ce-id", "a\xff"}, 400, "ce_id", ""},
		"no time":              {`{}`, []string{"ce-time", "today"}, 400, "Ce-Time", ""},
		"no sequence":          {`{}`, []string{"ce-sequence", "-1"}, 400, "Ce-Sequence", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s store
			h, _ := accepting[order](t, &s, sources.Strict(), sources.MaxBody(100))
			w, a := post(t, h, c.body, c.headers...)
			require.Equal(t, c.status, w.Code)
			require.Contains(t, a.Detail, c.detail)
			require.NotContains(t, a.Detail, "sources_test", "who sends it knows nothing of our types")
			require.Equal(t, c.field, a.Field)
			require.Empty(t, s.got)
		})
	}
}

func TestHTTPTakesBytesAsTheyAre(t *testing.T) {
	t.Parallel()
	var s store
	h, _ := accepting[[]byte](t, &s)
	w, _ := post(t, h, "\x00no JSON", "Content-Type", "image/png")
	require.Equal(t, http.StatusAccepted, w.Code)
	require.Equal(t, "\x00no JSON", string(s.got[0].Value))
}

func TestHTTPWithWrongOptionsDoesNotOpen(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]sources.HTTPOption{
		"MaxBody(0)":         sources.MaxBody(0),
		"MaxRequests(-1)":    sources.MaxRequests(-1),
		"RequestTimeout(0s)": sources.RequestTimeout(0),
		"a token of Bearer is empty; is the variable set": sources.Bearer(""),
		"Bearer has no token":                             sources.Bearer(),
		"secret 1 of Signed: it is empty":                 sources.Signed(""),
		"Signed has no secret":                            sources.Signed(),
		"it has 3 bytes":                                  sources.Signed("abc"),
		"Logger is nil":                                   sources.Logger(nil),
	} {
		src, ok := sources.HTTP[order]("POST /orders", opt).(pipeline.Opener)
		require.True(t, ok)
		err := src.Open(t.Context())
		require.ErrorContains(t, err, want)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Rejected, verdict, "trying again does not help")
	}
}

// fragile panics when it is decoded.
type fragile struct{}

func (*fragile) UnmarshalJSON([]byte) error { panic("boom") }

func TestHTTPSurvivesAPanic(t *testing.T) {
	t.Parallel()
	var s store
	h, _ := accepting[fragile](t, &s, sources.MaxRequests(1))
	for range 3 { // the place of one that panicked is free again
		w, a := post(t, h, `{}`)
		require.Equal(t, http.StatusInternalServerError, w.Code)
		require.NotContains(t, a.Detail, "boom")
	}
}

// A client that sends its body a byte an hour holds nobody up.
func TestHTTPEndsASlowBody(t *testing.T) {
	t.Parallel()
	var s store
	h, _ := accepting[order](t, &s, sources.RequestTimeout(50*time.Millisecond))
	server := httptest.NewServer(h)
	defer server.Close()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	_, err = io.WriteString(c, "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
	require.NoError(t, err)
	text, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Contains(t, string(text), "408 Request Timeout")
	require.Contains(t, string(text), "did not come within 50ms")
}

func BenchmarkHTTP(b *testing.B) {
	var s store
	h, _ := accepting[order](b, &s)
	s.err = pipeline.Reject(errors.New("keeps nothing"))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(`{"customer":"ann","lines":[{"sku":"pen","amount":2}]}`))
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
