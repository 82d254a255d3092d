package cmd_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
)

// collector takes what is sent to it over OTLP.
type collector struct {
	mu    sync.Mutex
	paths map[string]int
	bytes int
}

// ServeHTTP implements http.Handler.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths[r.URL.Path]++
	c.bytes += len(body)
}

func TestARunSendsItsSpans(t *testing.T) {
	t.Parallel()
	c := &collector{paths: map[string]int{}}
	server := httptest.NewServer(c)
	defer server.Close()
	ok(t, program(orders(order{Customer: "ada", Total: 3})), "run", "--drain", "--data-dir", t.TempDir(), "--trace-endpoint", server.URL)
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Positive(t, c.paths["/v1/traces"], "when it stops, at the latest")
	require.Len(t, c.paths, 1)
	require.Positive(t, c.bytes)
}

func TestACollectorThatIsDownDisturbsNothing(t *testing.T) {
	t.Parallel()
	got := call(t, program(orders(order{Customer: "ada", Total: 3})), "run", "--drain", "--data-dir", t.TempDir(),
		"--trace-endpoint", "http://127.0.0.1:1", "--stop-timeout", "2s", "--json")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.err, "spans cannot be sent")
}

func TestTheFlagsOfTracingAreChecked(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--trace-ratio is 2: it must be between 0 and 1":             {"--trace-ratio", "2"},
		"--trace-endpoint must be a URL like http://127.0.0.1:4318":  {"--trace-endpoint", "127.0.0.1:4318"},
		"--trace-endpoint must be a URL like http://127.0.0.1:4318 ": {"--trace-endpoint", "ftp://127.0.0.1"},
	} {
		got := call(t, program(orders()), append([]string{"run", "--data-dir", t.TempDir()}, args...)...)
		require.Equal(t, cmd.ExitWrongUse, got.code)
		require.Contains(t, got.err, want[:len(want)-1])
	}
}
