package router_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/sources"
)

// client makes connections of its own, which end with the test.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// send posts a body and returns the status and the answer's id.
func send(t *testing.T, c *http.Client, url, body string) (status int, id string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := c.Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var a struct {
		ID string `json:"id"`
	}
	if resp.StatusCode == http.StatusAccepted {
		require.NoError(t, json.Unmarshal(text, &a))
	}
	return resp.StatusCode, a.ID
}

func TestWhatIsAcceptedOverHTTPIsStored(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := pipeline.New("web")
	orders := pipeline.Source(p, "orders", sources.HTTP[map[string]string]("POST /orders"),
		pipeline.Key(func(m map[string]string) string { return m["customer"] }))
	pipeline.Stage(orders, "work", filters.Map(func(_ context.Context, m map[string]string) (map[string]string, error) { return m, nil }), pipeline.Open())
	pipeline.Source(p, "notes", sources.HTTP[[]byte]("POST /notes/{$}"), pipeline.Open())
	r := start(t, addrs, p, router.Config{HTTP: "127.0.0.1:0"})
	url, c := "http://"+r.SourcesAddress(), client(t)

	var id string
	require.Eventually(t, func() bool { // until the source is open
		status, got := send(t, c, url+"/orders", `{"customer":"ann"}`)
		id = got
		return status == http.StatusAccepted
	}, waitFor, tick)
	records := brokertest.ReadAll(t, addrs, "web.orders")
	require.Len(t, records, 1)
	require.Equal(t, id, header(records[0], "ce_id"))
	require.Equal(t, "ann", string(records[0].Key))
	r.drained()
	require.Equal(t, id, header(brokertest.ReadAll(t, addrs, "web.work")[0], "ce_correlationid"))

	require.Eventually(t, func() bool { status, _ := send(t, c, url+"/notes/", "hi"); return status == http.StatusAccepted }, waitFor, tick)
	status, _ := send(t, c, url+"/nothing", "")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = send(t, c, url+"/notes/", string(bytes.Repeat([]byte("x"), 2<<20)))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)

	r.stop()
	_, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.SourcesAddress())
	require.Error(t, err, "nobody listens after the stop")
}

// What the topic does not take is the client's to know: Kafka's limit is below the
// source's here.
func TestWhatTheTopicDoesNotTakeIsRefused(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	p := pipeline.New("web")
	pipeline.Source(p, "notes", sources.HTTP[[]byte]("POST /notes", sources.MaxBody(4<<20)), pipeline.Open())
	r := start(t, addrs, p, router.Config{HTTP: "127.0.0.1:0"})
	c := client(t)
	require.Eventually(t, func() bool {
		status, _ := send(t, c, "http://"+r.SourcesAddress()+"/notes", strings.Repeat("x", 2<<20))
		return status == http.StatusUnprocessableEntity
	}, waitFor, tick)
	require.Empty(t, brokertest.ReadAll(t, addrs, "web.notes"))
}

func TestNewRefusesRoutesThatConflict(t *testing.T) {
	t.Parallel()
	var graphs []*pipeline.Graph
	for _, name := range []string{"one", "two"} {
		p := pipeline.New(name)
		pipeline.Source(p, "orders", sources.HTTP[[]byte]("POST /orders"), pipeline.Open())
		g, err := p.Build()
		require.NoError(t, err)
		graphs = append(graphs, g)
	}
	cfg := router.Config{}
	cfg.Kafka.Brokers = []string{"127.0.0.1:9"}
	_, err := router.New(cfg, graphs...)
	require.ErrorContains(t, err, `source two.orders`)
	require.ErrorContains(t, err, `conflicts with pattern "POST /orders"`)
	cfg.Sources = []string{"one.orders"}
	_, err = router.New(cfg, graphs...)
	require.NoError(t, err)
}

func TestRunSaysThatTheAddressIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	addrs := brokertest.New(t).Addrs()
	p := pipeline.New("web")
	pipeline.Source(p, "notes", sources.HTTP[[]byte]("POST /notes"), pipeline.Open())
	g, err := p.Build()
	require.NoError(t, err)
	makeTopics(t, addrs, g)
	cfg := router.Config{HTTP: taken.Addr().String(), Logger: logger(t)}
	cfg.Kafka.Brokers = addrs
	r, err := router.New(cfg, g)
	require.NoError(t, err)
	var busy *router.ListenError
	require.ErrorAs(t, r.Run(t.Context()), &busy)
	require.Equal(t, cfg.HTTP, busy.Address)
}
