package sinks_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/webhook"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
	"github.com/penstock/penstock/sinks"
)

// receiver is a server that keeps the last request.
type receiver struct {
	*httptest.Server

	header http.Header
	method string
	body   []byte
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.header, r.method = req.Header, req.Method
		r.body, _ = io.ReadAll(req.Body)
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func ok(http.ResponseWriter, *http.Request) {}

// apply runs a sink on one delivery, with the codecs of a pipeline.
func apply[T any](t *testing.T, f pipeline.Filter[T, pipeline.None], d *pipeline.Delivery) ([]pipeline.Output, error) {
	t.Helper()
	n := sinkOf(t, f)
	require.NoError(t, n.Open(t.Context()))
	defer func() { require.NoError(t, n.Close(t.Context())) }()
	var outs pipeline.Outputs
	err := n.Calls[0](t.Context(), d, &outs)
	return outs.List, err
}

func sinkOf[T any](t testing.TB, f pipeline.Filter[T, pipeline.None]) *pipeline.StageNode {
	t.Helper()
	p := pipeline.New("shop")
	pipeline.Sink(pipeline.NewPipe[T](p, "in"), "out", f)
	graph, err := p.Build()
	require.NoError(t, err)
	return graph.Stages[0]
}

// delivered is a message as it comes.
func delivered(value string) *pipeline.Delivery {
	d := &pipeline.Delivery{Value: []byte(value), Stage: "out", Attempt: 1, Topic: "shop.in", Partition: 2, Offset: 7}
	d.ID, d.Job, d.Key, d.HasKey = "msg-1", "job-1", "ann", true
	d.Source, d.Type, d.ContentType = "shop.price", "shop.in", schemas.ContentTypeJSON
	return d
}

func TestHTTPSendsTheMessageWithItsID(t *testing.T) {
	t.Parallel()
	r := receive(t, ok)
	d := delivered(`{ "Name": "a" }`)
	d.Time, d.Sequence = time.Date(2026, 11, 22, 21, 20, 0, 0, time.UTC), 7
	_, err := apply(t, sinks.HTTP(sinks.HTTPConfig[page]{
		URL: r.URL + "/hook", Method: http.MethodPut, Header: http.Header{"authorization": {"Bearer x"}},
	}), d)
	require.NoError(t, err)
	require.Equal(t, http.MethodPut, r.method)
	require.Equal(t, `{ "Name": "a" }`, string(r.body), "as it came") //nolint:testifylint // not only the same JSON
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "msg-1", "Webhook-Id": "msg-1", "Ce-Id": "msg-1",
		"Ce-Source": "shop.price", "Ce-Type": "shop.in", "Ce-Specversion": "1.0", "Ce-Correlationid": "job-1",
		"Ce-Time": "2026-11-22T21:20:00Z", "Ce-Sequence": "7", "Authorization": "Bearer x", "Webhook-Signature": "",
	} {
		require.Equal(t, want, r.header.Get(name), name)
	}
}

func TestHTTPSigns(t *testing.T) {
	t.Parallel()
	const secret = "a secret of some length"
	r := receive(t, ok)
	d := delivered(`{"Name":"a"}`)
	d.ID = "with a space and ä"
	_, err := apply(t, sinks.HTTP(sinks.HTTPConfig[page]{URL: r.URL, Secret: secret, Codec: schemas.JSON[page]()}), d)
	require.NoError(t, err)
	key, err := webhook.ParseSecret(secret)
	require.NoError(t, err)
	require.JSONEq(t, `{"Name":"a","Text":""}`, string(r.body))
	require.NoError(t, webhook.Verify(r.header, r.body, []webhook.Secret{key}, time.Now(), time.Minute))
	require.Equal(t, "with%20a%20space%20and%20%C3%A4", r.header.Get("Ce-Id"))
}

func TestHTTPTellsWhatMayPassFromWhatIsFinal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		retryAfter string
		verdict    pipeline.Verdict
		least      time.Duration
		most       time.Duration
	}{
		{200, "", pipeline.Done, -1, -1},
		{204, "", pipeline.Done, -1, -1},
		{301, "", pipeline.Rejected, -1, -1},
		{307, "", pipeline.Rejected, -1, -1},
		{400, "", pipeline.Rejected, -1, -1},
		{404, "5", pipeline.Rejected, -1, -1},
		{408, "", pipeline.Again, -1, -1},
		{425, "", pipeline.Again, -1, -1},
		{429, "7", pipeline.Again, 7 * time.Second, 7 * time.Second},
		{500, "", pipeline.Again, -1, -1},
		{501, "", pipeline.Rejected, -1, -1},
		{503, "99999999999", pipeline.Again, time.Hour, time.Hour},
		{503, time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat), pipeline.Again, time.Second, 30 * time.Minute},
		{503, "Mon, 02 Jan 2006 15:04:05 GMT", pipeline.Again, 0, 0},
		{503, "soon", pipeline.Again, -1, -1},
		{505, "", pipeline.Rejected, -1, -1},
	} {
		r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.retryAfter)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			if c.status != http.StatusNoContent {
				_, _ = io.WriteString(w, strings.Repeat("because ", 1000))
			}
		})
		_, err := apply(t, sinks.HTTP(sinks.HTTPConfig[page]{URL: r.URL + "/token-abc"}), delivered(`{}`))
		verdict, wait := pipeline.Judge(err)
		require.Equal(t, c.verdict, verdict, "%d: %v", c.status, err)
		require.GreaterOrEqual(t, wait, c.least, "%d", c.status)
		require.LessOrEqual(t, wait, c.most, "%d", c.status)
		if err != nil {
			require.Contains(t, err.Error(), "because ")
			require.NotContains(t, err.Error(), "token-abc", "the URL may hold a secret")
			require.Less(t, len(err.Error()), 400)
		}
	}
}

func TestHTTPTriesAgainWhereNobodyAnswers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := receive(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	gone := receive(t, ok)
	gone.Close()
	for name, cfg := range map[string]sinks.HTTPConfig[page]{
		"nobody listens": {URL: gone.URL + "/token-abc"},
		"too slow":       {URL: slow.URL + "/token-abc", Timeout: 20 * time.Millisecond},
	} {
		_, err := apply(t, sinks.HTTP(cfg), delivered(`{}`))
		require.Error(t, err, name)
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Again, verdict, name)
		require.NotContains(t, err.Error(), "token-abc")
	}
}

func TestHTTPUsesItsConnectionsAgain(t *testing.T) {
	t.Parallel()
	addresses := map[string]bool{}
	r := receive(t, func(w http.ResponseWriter, req *http.Request) {
		addresses[req.RemoteAddr] = true
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
	})
	n := sinkOf(t, sinks.HTTP(sinks.HTTPConfig[page]{URL: r.URL}))
	require.NoError(t, n.Open(t.Context()))
	for range 20 {
		require.NoError(t, n.Calls[0](t.Context(), delivered(`{}`), &pipeline.Outputs{}))
	}
	require.NoError(t, n.Close(t.Context()))
	require.Len(t, addresses, 1)
}

func TestHTTPWithAWrongConfigurationDoesNotOpen(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]sinks.HTTPConfig[page]{
		"give one like https://": {URL: "ftp://example.org/token-abc"},
		"the URL is none":        {},
		"with a host":            {URL: "http:///token-abc"},
		"method":                 {URL: "http://example.org/token-abc", Method: "NO WAY"},
		"it has 5 bytes":         {URL: "http://example.org", Secret: "short"},
		"Timeout (-1s)":          {URL: "http://example.org", Timeout: -time.Second},
	} {
		err := sinkOf(t, sinks.HTTP(cfg)).Open(t.Context())
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "token-abc")
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Rejected, verdict)
	}
}
