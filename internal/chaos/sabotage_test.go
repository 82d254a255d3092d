//go:build !kafka

package chaos_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/chaos"
	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/worker"
)

// broken is a rule that Penstock stands on, and what comes of it where it is broken.
type broken struct {
	rule   string
	mode   chaos.Mode
	faults chaos.Faults

	// For a while what stage first makes is refused one time in two, to be sent again,
	// and one time in so many for good.
	forGood int

	// For a while offsets are refused one time in two, to be sent again: so transactions
	// take long.
	slowCommits bool

	found checker.Kind // "": nothing
}

// patience is longer than the embedded broker may leave a member waiting that joins
// while another one is evicted: as long as a rebalance may take, a minute.
const patience = 100 * time.Second

// Each rule is needed, and the checker finds where one is broken without being told.
// It finds nothing where the same happens and no rule is broken.
func TestEachBrokenRuleIsFound(t *testing.T) {
	t.Parallel()
	worker := buildSabotaged(t)
	for _, b := range []broken{
		{rule: "void-by-start", mode: chaos.Parking, faults: chaos.Faults{Kills: 2}, found: checker.Misparked},
		{rule: "epochs", mode: chaos.Parking, faults: chaos.Faults{Rollings: 1}, found: checker.Misparked},
		{rule: "free-on-done", mode: chaos.Parking, faults: chaos.Faults{Closes: 1}, found: checker.Overtaken},
		{rule: "deliver-first", mode: chaos.AtLeastOnce, faults: chaos.Faults{Kills: 4}, forGood: math.MaxInt, found: checker.Lost},
		{rule: "stop-on-failure", mode: chaos.AtLeastOnce, faults: chaos.Faults{Kills: 4}, forGood: 30, found: checker.Disordered},
		{rule: "one-transaction", mode: chaos.ExactlyOnce, faults: chaos.Faults{Kills: 4}, slowCommits: true, found: checker.Repeated},
		{rule: "", mode: chaos.ExactlyOnce, faults: chaos.Faults{Kills: 2, Freezes: 1}, slowCommits: true},
		{rule: "", mode: chaos.AtLeastOnce, faults: chaos.Faults{Kills: 4}, forGood: 30},
	} {
		t.Run(cmp.Or(b.rule, "none of "+string(b.mode)), func(t *testing.T) {
			t.Parallel()
			result := b.run(t, worker)
			if b.found == "" {
				require.Empty(t, result.Report.List())
				return
			}
			if b.found == checker.Repeated { // no finding by itself
				require.NotEmpty(t, result.Report.Repeats)
				require.Error(t, result.Broken())
				return
			}
			require.Error(t, result.Broken())
			require.Positive(t, result.Report.Count(b.found), "%s", result.Report.List())
		})
	}
}

// buildSabotaged builds a worker that can break rules.
func buildSabotaged(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "worker")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "sabotage", "-o", path, "./cmd/worker")
	build.Stderr = os.Stderr
	require.NoError(t, build.Run())
	return path
}

func (b broken) run(t *testing.T, path string) *chaos.Result {
	t.Helper()
	embedded := brokertest.New(t)
	cfg := chaos.Config{
		Brokers: embedded.Addrs(), Pipeline: "broken-" + cmp.Or(b.rule, "none"), Mode: b.mode, Worker: []string{path},
		Environment: []string{worker.RuleVariable + "=" + b.rule},
		Seed:        1, Messages: 3000, Rate: 600, Keys: 60, Processes: 2, Session: 6 * time.Second, SlowWait: 4 * time.Second,
		Patience: patience, Stop: 4 * time.Second, Faults: b.faults,
	}
	if b.forGood > 0 {
		b.refuse(embedded.Cluster(), flow.Topic(cfg.Pipeline, flow.First))
	}
	if b.slowCommits {
		embedded.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: 500, When: oneIn(2)})
	}
	return run(t, cfg)
}

// oneIn is true one time in n, by chance.
func oneIn(n int) func(kmsg.Request) bool {
	return func(kmsg.Request) bool { return rand.IntN(n) == 0 }
}

func (b broken) refuse(cluster *kfake.Cluster, topic string) {
	produce := []kmsg.Key{kmsg.Produce}
	cluster.Fault(
		kfake.Fault{Keys: produce, Topic: topic, Err: kerr.InvalidProducerEpoch, Count: 6, When: oneIn(b.forGood)},
		kfake.Fault{Keys: produce, Topic: topic, Err: kerr.NotEnoughReplicas, Count: 150, When: oneIn(2)},
	)
}
