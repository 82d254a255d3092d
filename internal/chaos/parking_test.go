package chaos_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/chaos"
	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/worker"
)

func TestWhatIsParkedGoesThrough(t *testing.T) {
	result := run(t, chaos.Config{
		Brokers: brokertest.New(t).Addrs(), Mode: chaos.Parking,
		Seed: 1, Messages: 3000, Rate: 400, Keys: 40, Processes: 2, Session: 6 * time.Second, SlowWait: 12 * time.Second,
		Faults: chaos.Faults{Closes: 1, Rollings: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Positive(t, result.Report.Parking.Void, "nothing came late")
}

// Each rule that parking stands on is needed, and the checker finds where one is
// broken without being told.
func TestEachBrokenRuleIsFound(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "worker")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "sabotage", "-o", broken, "./cmd/worker")
	build.Stderr = os.Stderr
	require.NoError(t, build.Run())
	for rule, want := range map[string]struct {
		kind   checker.Kind
		faults chaos.Faults
	}{
		"void-by-start": {checker.Misparked, chaos.Faults{Kills: 2}},
		"epochs":        {checker.Misparked, chaos.Faults{Rollings: 1}},
		"free-on-done":  {checker.Overtaken, chaos.Faults{Closes: 1}},
	} {
		t.Run(rule, func(t *testing.T) {
			result := run(t, chaos.Config{
				Brokers: brokertest.New(t).Addrs(), Mode: chaos.Parking, Worker: []string{broken},
				Environment: []string{worker.RuleVariable + "=" + rule},
				Seed:        1, Messages: 3000, Rate: 600, Keys: 60, Processes: 2, Session: 6 * time.Second, SlowWait: 4 * time.Second,
				Patience: 10 * time.Second, Faults: want.faults,
			})
			require.Error(t, result.Broken())
			require.Positive(t, result.Report.Count(want.kind), "%s", result.Report.List())
		})
	}
}
