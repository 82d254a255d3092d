package chaos_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/chaos"
	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/worker"
)

// run does a run with this test's binary as the worker.
func run(t *testing.T, cfg chaos.Config) *chaos.Result {
	t.Helper()
	if cfg.Worker == nil {
		cfg.Worker = []string{os.Args[0]}
		cfg.Environment = append(cfg.Environment, asWorker+"=yes")
	}
	if cfg.Pipeline == "" {
		cfg.Pipeline = "chaos-" + strings.ToLower(rand.Text())
	}
	cfg.Dir, cfg.Log = t.TempDir(), t.Output()
	result, err := chaos.Run(t.Context(), cfg)
	if err != nil || t.Failed() {
		showLogs(t, cfg.Dir)
	}
	require.NoError(t, err)
	t.Logf("%s%s", result.Details(), result.Line())
	return result
}

// showLogs tells how the workers' logs end.
func showLogs(t *testing.T, dir string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	require.NoError(t, err)
	for _, path := range logs {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		t.Logf("%s ends with:\n%s", filepath.Base(path), content[max(0, len(content)-2000):])
	}
}

func TestAFaithfulRunBreaksNothing(t *testing.T) {
	t.Parallel()
	result := run(t, chaos.Config{
		Brokers: brokertest.New(t).Addrs(), Mode: chaos.Graceful,
		Seed: 1, Messages: 2000, Rate: 1000, Keys: 40, Session: 6 * time.Second, // the least that the embedded broker grants
		Faults: chaos.Faults{Closes: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.GreaterOrEqual(t, result.Report.Messages, 2000)
}

// The checker does not know which control is on, and finds it.
func TestEachControlIsFound(t *testing.T) {
	t.Parallel()
	for control, want := range map[worker.Control]checker.Kind{
		worker.Lose:     checker.Lost,
		worker.Rename:   checker.WrongID,
		worker.Disorder: checker.Disordered,
		worker.Jump:     checker.NoRewind,
		worker.Invent:   checker.Unaccounted,
		worker.Poison:   checker.Unaccounted,
	} {
		t.Run(string(control), func(t *testing.T) {
			t.Parallel()
			result := run(t, chaos.Config{
				Brokers: brokertest.New(t).Addrs(), Environment: []string{worker.ControlVariable + "=" + string(control)},
				Seed: 1, Messages: 2000, Rate: 2000, Keys: 20, Processes: 1, Session: 6 * time.Second, SlowWait: -1,
			})
			require.Error(t, result.Broken())
			require.Positive(t, result.Report.Count(want), "%s", result.Report.List())
		})
	}
}

func TestExactlyOnceRepeatsNothing(t *testing.T) {
	t.Parallel()
	result := run(t, chaos.Config{
		Brokers: brokertest.New(t).Addrs(), Mode: chaos.ExactlyOnce,
		Seed: 1, Messages: 3000, Rate: 600, Keys: 60, Session: 6 * time.Second, SlowWait: -1,
		Faults: chaos.Faults{Kills: 2, Closes: 1, Freezes: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
}
