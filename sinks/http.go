package sinks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/penstock/penstock/internal/webhook"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// HTTPConfig is the configuration of [HTTP].
type HTTPConfig[T any] struct {
	// URL is where requests go: http or https. Required. It is not in errors nor
	// logs, but for its host, since it may hold a secret.
	URL string

	// Method is the request's. Defaults to POST.
	Method string

	// Header is added to each request: an Authorization, for example. Defaults to
	// nothing.
	Header http.Header

	// Codec says how values are encoded. Defaults to the bytes as they came, with
	// the content type that came with them.
	Codec schemas.Codec[T]

	// Secret signs requests in the way of Standard Webhooks: see sources.Signed for
	// what it may be. Defaults to no signature.
	Secret string

	// Timeout is how long a request may take, its answer included. Defaults to 10 s.
	Timeout time.Duration

	// Transport makes the requests: it is where proxies and certificates are set.
	// Defaults to one of the sink's own, like http.DefaultTransport with more idle
	// connections.
	Transport http.RoundTripper
}

// HTTP sends a request for each message: a webhook. The receiver can tell a message
// that it has seen by its id, which is the same on every attempt: it is in the
// headers Idempotency-Key, webhook-id and ce-id, the last one beside the other
// attributes of a CloudEvent.
//
// An answer of 2xx is a success. One of 408, 425, 429 or 5xx, and none at all, may
// pass: the message is tried again, after as long as Retry-After says, an hour at
// most. Any other answer is final: the message is poisoned, with the beginning of
// the answer. Redirections are not followed.
//
// A receiver that is down for long uses up the attempts of Retry: park with
// [pipeline.Park], or hold all messages with [pipeline.Breaker].
func HTTP[T any](cfg HTTPConfig[T]) pipeline.Filter[T, pipeline.None] {
	if cfg.Method == "" {
		cfg.Method = http.MethodPost
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	return &httpSink[T]{cfg: cfg}
}

type httpSink[T any] struct {
	cfg    HTTPConfig[T]
	host   string
	signed bool
	secret webhook.Secret
	client *http.Client
}

// Open fails where the configuration is wrong.
func (s *httpSink[T]) Open(context.Context) error {
	u, err := url.Parse(s.cfg.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return pipeline.Reject(errors.New("HTTP sink: the URL is none of http or https with a host; give one like https://example.org/hooks"))
	case s.cfg.Timeout < 0:
		return pipeline.Reject(fmt.Errorf("HTTP sink to %s: Timeout (%v) is below 0", u.Host, s.cfg.Timeout))
	}
	if _, err := http.NewRequest(s.cfg.Method, s.cfg.URL, http.NoBody); err != nil { //nolint:noctx // only looked at
		return pipeline.Reject(fmt.Errorf("HTTP sink to %s: the method %q cannot be used", u.Host, s.cfg.Method))
	}
	s.host, s.signed = u.Host, s.cfg.Secret != ""
	if s.signed {
		if s.secret, err = webhook.ParseSecret(s.cfg.Secret); err != nil {
			return pipeline.Reject(fmt.Errorf("HTTP sink to %s: the Secret: %w", u.Host, err))
		}
	}
	transport := s.cfg.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is documented
		own.MaxIdleConnsPerHost, own.MaxIdleConns = maxIdle, maxIdle
		transport = own
	}
	s.client = &http.Client{
		Transport: transport, Timeout: s.cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// maxIdle is how many connections wait for the next request: as many as a stage has
// lanes, or a few times that.
const maxIdle = 64

// Close ends the idle connections.
func (s *httpSink[T]) Close(context.Context) error {
	if s.cfg.Transport == nil {
		s.client.CloseIdleConnections()
	}
	return nil
}

// Filter sends one request.
func (s *httpSink[T]) Filter(ctx context.Context, m *pipeline.Message[T], _ *pipeline.Emitter[pipeline.None]) error {
	r, err := s.request(ctx, m)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL
		}
		return fmt.Errorf("%s %s: %w", s.cfg.Method, s.host, err)
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what is cut off says enough
	_ = resp.Body.Close()
	return s.judge(resp, text)
}

// maxAnswer is how much of an answer is read, so that its connection can be used
// again, and maxReason how much of that an error repeats.
const (
	maxAnswer = 64 << 10
	maxReason = 200
)

func (s *httpSink[T]) request(ctx context.Context, m *pipeline.Message[T]) (*http.Request, error) {
	body, contentType := m.Value, m.ContentType
	if s.cfg.Codec != nil {
		var err error
		if body, err = s.cfg.Codec.Encode(m.Body); err != nil {
			return nil, encodeError(err)
		}
		contentType = s.cfg.Codec.ContentType()
	}
	r, err := http.NewRequestWithContext(ctx, s.cfg.Method, s.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return nil, pipeline.Reject(fmt.Errorf("make a request to %s", s.host)) // Open has seen to all that may be wrong
	}
	for name, values := range s.cfg.Header {
		r.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	if _, _, err := mime.ParseMediaType(contentType); err != nil { // none, or one that is not fit for a header
		contentType = schemas.ContentTypeRaw
	}
	r.Header.Set("Content-Type", contentType)
	setHeader(r.Header, "Idempotency-Key", m.ID)
	setEvent(r.Header, &m.Envelope)
	if s.signed {
		webhook.Sign(r.Header, percentEncoded(m.ID), time.Now(), body, s.secret)
	} else {
		setHeader(r.Header, webhook.HeaderID, m.ID)
	}
	return r, nil
}

// encodeError rejects what has no encoding, unless that is not known yet.
func encodeError(err error) error {
	if errors.Is(err, schemas.ErrUnavailable) {
		return err
	}
	return pipeline.Reject(err)
}

// setEvent sets the attributes of a CloudEvent in binary mode.
func setEvent(h http.Header, e *schemas.Envelope) {
	h.Set("Ce-Specversion", schemas.SpecVersion)
	setHeader(h, "Ce-Id", e.ID)
	setHeader(h, "Ce-Source", e.Source)
	setHeader(h, "Ce-Type", e.Type)
	setHeader(h, "Ce-Correlationid", e.Job)
	setHeader(h, "Traceparent", e.TraceParent)
	setHeader(h, "Tracestate", e.TraceState)
	if !e.Time.IsZero() {
		h.Set("Ce-Time", e.Time.UTC().Format(time.RFC3339Nano))
	}
	if e.Sequence > 0 {
		h.Set("Ce-Sequence", strconv.FormatInt(e.Sequence, 10))
	}
}

// setHeader sets what there is and can stand in a header; the rest the way of
// CloudEvents encodes.
func setHeader(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, percentEncoded(value))
	}
}

// percentEncoded encodes what is not printable ASCII, and space, quote and percent,
// as the HTTP binding of CloudEvents has it.
func percentEncoded(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && isPlain(s[i])
	}
	if plain {
		return s
	}
	var b bytes.Buffer
	for i := range len(s) {
		if isPlain(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

func isPlain(c byte) bool { return c > ' ' && c <= '~' && c != '"' && c != '%' }
