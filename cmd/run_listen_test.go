package cmd_test

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/pipeline"
)

// watched is a writer that can be read while it is written to.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestARunShowsItsHealthUntilItHasStopped(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	p := pipeline.New("shown")
	in := pipeline.Source(p, "in", listed{{"ada", 1}})
	pipeline.Stage(in, "work", filters.Map(func(_ context.Context, o order) (order, error) {
		close(entered)
		<-release
		return o, nil
	}), pipeline.Open())
	program := program(p)
	var hooks []string
	program.OnStart = func(context.Context) error { hooks = append(hooks, "start"); return nil }
	program.OnStop = func(context.Context) error { hooks = append(hooks, "stop"); return nil }

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var stderr watched
	ended := make(chan int, 1)
	go func() {
		ended <- program.Main(ctx, []string{"--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--stuck-after", "1ms"}, strings.NewReader(""), io.Discard, &stderr)
	}()
	<-entered
	address := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(stderr.String())
	require.Len(t, address, 2, stderr.String())
	get := func(path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address[1]+path, http.NoBody)
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, string(body)
	}
	var code int
	var body string
	require.Eventually(t, func() bool { // some partitions may be taken over still
		code, body = get("/readyz")
		return code == http.StatusOK
	}, time.Minute, time.Millisecond, "%s", &body)
	require.Eventually(t, func() bool {
		code, body = get("/healthz")
		return code == http.StatusServiceUnavailable
	}, time.Minute, time.Millisecond)
	require.Regexp(t, `stage shown.work has been at shown.in/\d@0 since`, body)
	_, body = get("/metrics")
	require.Contains(t, body, `penstock_stage_stuck_attempts{stage="shown.work"} 1`)

	cancel() // what is in work is finished first, and meanwhile it says that it stops
	require.Eventually(t, func() bool {
		code, body = get("/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "the program is stopping")
	}, time.Minute, time.Millisecond)
	close(release)
	require.Equal(t, cmd.ExitOK, <-ended, stderr.String())
	require.Equal(t, []string{"start", "stop"}, hooks)
}

func TestAnAddressThatCannotBeListenedAtIsAWrongUse(t *testing.T) {
	t.Parallel()
	got := call(t, program(orders()), "run", "--drain", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:99999999")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "--listen: listen for health checks at 127.0.0.1:99999999")
	got = call(t, program(orders()), "run", "--drain", "--data-dir", t.TempDir(), "--stuck-after", "-1s")
	require.Equal(t, cmd.ExitWrongUse, got.code)
	require.Contains(t, got.err, "--stuck-after is -1s: it must be positive")
}
