package health_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/health"
	"github.com/penstock/penstock/router/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reporter reports what it is.
type reporter router.Status

func (r reporter) Status() router.Status { return router.Status(r) }

var (
	errDown = errors.New("the price service does not answer")
	since   = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
)

// fine is a router of a stage and a source that do their work.
func fine() reporter {
	running := router.Life{State: router.StateRunning, Since: since}
	return reporter{
		Life: running,
		Stages: []router.StageStatus{{
			Stats: router.Stats{Stage: "orders.price", In: 7, Out: 5, Skipped: 1, Retried: 3, Parked: 2, Poisoned: 1, Restarts: 4},
			Life:  running, Breaker: router.BreakerStatus{State: router.BreakerClosed, Opened: 2}, Rebalances: 6,
			Latency: router.Latency{Count: 9, Sum: 3 * time.Second, Buckets: []router.Bucket{
				{Bound: 10 * time.Microsecond, Count: 2}, {Bound: time.Second, Count: 8},
			}},
			Partitions: []router.PartitionStatus{{Topic: "orders.placed", Partition: 3, Progress: kafka.Progress{Done: 10, End: 25, InFlight: 4, Bytes: 400}}},
			Takeovers:  2, TakeoverTime: 5 * time.Second,
		}},
		Sources: []router.SourceStatus{{Source: "orders.web", Life: running, Restarts: 8}},
	}
}

func get(t *testing.T, r health.Reporter, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	health.Handler(r).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	return w.Code, w.Body.String()
}

func report(t *testing.T, r health.Reporter, path string) (int, health.Report) {
	t.Helper()
	code, body := get(t, r, path)
	var report health.Report
	require.NoError(t, json.Unmarshal([]byte(body), &report), body)
	require.Equal(t, code == http.StatusOK, report.OK)
	return code, report
}

func TestHealth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change          func(s *router.Status, stage *router.StageStatus)
		alive, degraded bool
		ready           bool
		why             string // in both, where it is one
	}{
		"all works": {change: func(*router.Status, *router.StageStatus) {}, alive: true, ready: true},
		"the program starts": {alive: true, why: "the program is starting", change: func(s *router.Status, _ *router.StageStatus) {
			s.State = router.StateStarting
		}},
		"the program cannot start": {alive: true, degraded: true, why: "the program is restarting: the price service", change: func(s *router.Status, _ *router.StageStatus) {
			s.Life = router.Life{State: router.StateRestarting, Error: errDown}
		}},
		"the program stops": {alive: true, why: "the program is stopping", change: func(s *router.Status, _ *router.StageStatus) {
			s.State = router.StateStopping
		}},
		"a stage joins": {alive: true, why: "stage orders.price is starting", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.State = router.StateStarting
		}},
		"a stage fails": {alive: true, degraded: true, why: "stage orders.price is restarting: the price service does not answer", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Life = router.Life{State: router.StateRestarting, Error: errDown, Next: since}
		}},
		"a source fails": {alive: true, degraded: true, ready: true, why: "source orders.web is restarting", change: func(s *router.Status, _ *router.StageStatus) {
			s.Sources[0].State = router.StateRestarting
		}},
		"a breaker is open": {alive: true, degraded: true, ready: true, why: "the breaker of stage orders.price has been open since 2026-11-23T01:02:03Z: the price service", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Breaker = router.BreakerStatus{State: router.BreakerProbing, Since: since, Cause: errDown}
		}},
		"a partition is taken over": {alive: true, why: "taking over orders.placed/3 since 2026-11-23T01:02:03Z: 20 records of about 100", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.TakingOver = []router.Takeover{{Topic: "orders.placed", Partition: 3, Since: since, Read: 20, Of: 100}}
		}},
		"suspects run alone": {alive: true, degraded: true, ready: true, why: "orders.placed/3 one at a time: owners of the partition have ended 3 times", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Crashes = []router.Crashed{{Topic: "orders.placed", Partition: 3, Ends: 3, Alone: true}}
		}},
		"a message that crashes is held": {alive: true, degraded: true, ready: true, why: "holds 1 messages of orders.placed/3", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Crashes = []router.Crashed{{Topic: "orders.placed", Partition: 3, Ends: 5, Alone: true, Held: 1}}
		}},
		"every message crashes": {alive: true, degraded: true, why: "stage orders.price has halted at orders.placed/3", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Crashes = []router.Crashed{{Topic: "orders.placed", Partition: 3, Ends: 9, Alone: true, Held: 3, Halted: true}}
		}},
		"a process was killed": {alive: true, ready: true, change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Crashes = []router.Crashed{{Topic: "orders.placed", Partition: 3, Ends: 1}}
		}},
		"an attempt is stuck": {ready: true, why: "stage orders.price has been at orders.placed/3@17 since 2026-11-23T01:02:03Z", change: func(_ *router.Status, stage *router.StageStatus) {
			stage.Stuck = []router.Attempt{{Topic: "orders.placed", Partition: 3, Offset: 17, Since: since}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := fine()
			c.change((*router.Status)(&r), &r.Stages[0])
			_, alive := report(t, r, "/healthz")
			require.Equal(t, c.alive, alive.OK, alive.Why)
			require.Equal(t, c.degraded, alive.Degraded, alive.Why)
			_, ready := report(t, r, "/readyz")
			require.Equal(t, c.ready, ready.OK, ready.Why)
			why := strings.Join(append(alive.Why, ready.Why...), "\n")
			require.Contains(t, why, c.why)
			if c.why == "" {
				require.Empty(t, why)
			}
		})
	}
}

func TestAReportNamesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	r := fine()
	r.Stages[0].Life = router.Life{State: router.StateRestarting, Since: since, Error: errors.New(strings.Repeat("x", 5000)), Next: since.Add(time.Second)}
	r.Stages[0].Stuck = []router.Attempt{{Topic: "orders.placed", Partition: 3, Offset: 17, Since: since}}
	code, report := report(t, r, "/healthz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	stage := report.Stages[0]
	require.Equal(t, "orders.price", stage.Stage)
	require.Equal(t, since, stage.Since)
	require.Equal(t, since.Add(time.Second), stage.Next)
	require.Less(t, len(stage.Error), 1100, "errors are cut")
	require.Equal(t, []health.StuckAttempt{{Topic: "orders.placed", Partition: 3, Offset: 17, Since: since}}, stage.Stuck)
	require.Equal(t, "orders.web", report.Sources[0].Source)
}

func TestMetricsAreWellNamed(t *testing.T) {
	t.Parallel()
	problems, err := testutil.CollectAndLint(health.NewCollector(fine()))
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	r := fine()
	r.Stages[0].ParkedNow = router.Parked{Messages: 11}
	r.Stages[0].Crashes = []router.Crashed{{Ends: 4, Held: 1, Halted: true}, {Ends: 2, Held: 2}}
	code, body := get(t, r, "/metrics")
	require.Equal(t, http.StatusOK, code)
	for _, line := range []string{
		`penstock_stage_messages_in_total{stage="orders.price"} 7`,
		`penstock_stage_messages_out_total{stage="orders.price"} 5`,
		`penstock_stage_messages_skipped_total{stage="orders.price"} 1`,
		`penstock_stage_retries_total{stage="orders.price"} 3`,
		`penstock_stage_messages_parked_total{stage="orders.price"} 2`,
		`penstock_stage_messages_poisoned_total{stage="orders.price"} 1`,
		`penstock_stage_restarts_total{stage="orders.price"} 4`,
		`penstock_stage_rebalances_total{stage="orders.price"} 6`,
		`penstock_stage_attempt_duration_seconds_bucket{stage="orders.price",le="1e-05"} 2`,
		`penstock_stage_attempt_duration_seconds_bucket{stage="orders.price",le="1"} 8`,
		`penstock_stage_attempt_duration_seconds_bucket{stage="orders.price",le="+Inf"} 9`,
		`penstock_stage_attempt_duration_seconds_sum{stage="orders.price"} 3`,
		`penstock_stage_state{stage="orders.price",state="running"} 1`,
		`penstock_stage_state{stage="orders.price",state="restarting"} 0`,
		`penstock_stage_stuck_attempts{stage="orders.price"} 0`,
		`penstock_stage_parked_messages{stage="orders.price"} 11`,
		`penstock_stage_parked_oldest_age_seconds{stage="orders.price"} 0`,
		`penstock_stage_unclean_ends{stage="orders.price"} 4`,
		`penstock_stage_crash_held_messages{stage="orders.price"} 3`,
		`penstock_stage_halted_partitions{stage="orders.price"} 1`,
		`penstock_stage_takeovers_in_progress{stage="orders.price"} 0`,
		`penstock_stage_takeover_duration_seconds_sum{stage="orders.price"} 5`,
		`penstock_stage_takeover_duration_seconds_count{stage="orders.price"} 2`,
		`penstock_stage_breaker_state{stage="orders.price",state="closed"} 1`,
		`penstock_stage_breaker_state{stage="orders.price",state="open"} 0`,
		`penstock_stage_breaker_opened_total{stage="orders.price"} 2`,
		`penstock_partition_messages_in_flight{partition="3",stage="orders.price",topic="orders.placed"} 4`,
		`penstock_partition_in_flight_bytes{partition="3",stage="orders.price",topic="orders.placed"} 400`,
		`penstock_partition_lag_messages{partition="3",stage="orders.price",topic="orders.placed"} 15`,
		`penstock_source_state{source="orders.web",state="done"} 0`,
		`penstock_source_restarts_total{source="orders.web"} 8`,
	} {
		require.Contains(t, body, "\n"+line+"\n")
	}
	require.Contains(t, body, "\ngo_goroutines ")

	r.Stages[0].Breaker = router.BreakerStatus{}
	_, body = get(t, r, "/metrics")
	require.NotContains(t, body, "breaker", "a stage without one has no state of it")
}

func TestAServerAnswersUntilItIsClosed(t *testing.T) {
	t.Parallel()
	s, err := health.Listen(t.Context(), "127.0.0.1:0", health.Handler(fine()), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = health.Listen(t.Context(), s.Addr().String(), health.Handler(fine()), slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "listen for health checks at "+s.Addr().String())
	url := "http://" + s.Addr().String()
	ask := func(path, header string) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("X-Header", header)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, resp.Body.Close()
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/debug/pprof/": 404} {
		code, err := ask(path, "")
		require.NoError(t, err)
		require.Equal(t, want, code, path)
	}
	code, err := ask("/healthz", strings.Repeat("x", 64<<10))
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, code)

	require.NoError(t, s.Close(t.Context()))
	_, err = ask("/healthz", "")
	require.Error(t, err)
}
