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

	// What the stages make is refused one time in two, to be sent again, and six times
	// for each of them one time in so many for good.
	forGood int

	// Offsets are refused one time in two, to be sent again: so transactions take long.
	slowCommits bool

	found checker.Kind // "": nothing
}

// patience is longer than the embedded broker may leave a member waiting that joins
// while another one is evicted: as long as a rebalance may take, a minute.
const patience = 100 * time.Second

// tries is how often a rule is broken until harm comes of it. A rule is there for what
// happens now and then: a kill in the middle of what the rule keeps together. So a run
// with other faults follows one in which no kill met that.
const tries = 4

// patienceWithLoss is enough where disorder is to be found, and messages are lost with
// it, whose end would be waited for.
const patienceWithLoss = 20 * time.Second

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
		{rule: "fences", mode: chaos.ExactlyOnce, faults: chaos.Faults{Freezes: 4}, found: checker.Repeated},
		{rule: "", mode: chaos.ExactlyOnce, faults: chaos.Faults{Kills: 2, Freezes: 1}, slowCommits: true},
		{rule: "", mode: chaos.AtLeastOnce, faults: chaos.Faults{Kills: 4}, forGood: 30},
	} {
		t.Run(cmp.Or(b.rule, "none of "+string(b.mode)), func(t *testing.T) {
			t.Parallel()
			if b.found == "" {
				result := b.run(t, worker, 1)
				require.Empty(t, result.Report.List())
				if b.mode == chaos.ExactlyOnce {
					require.Empty(t, result.Report.Repeats, result.Report.ListRepeats())
				}
				return
			}
			for seed := range uint64(tries) {
				result := b.run(t, worker, seed+1)
				if b.harmed(result) {
					require.Error(t, result.Broken())
					return
				}
			}
			t.Errorf("rule %s was broken %d times, and nothing was found", b.rule, tries)
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

// harmed is true where what comes of the broken rule is among what was found.
func (b broken) harmed(result *chaos.Result) bool {
	if b.found == checker.Repeated { // no finding by itself
		return len(result.Report.Repeats) > 0
	}
	return result.Report.Count(b.found) > 0
}

func (b broken) run(t *testing.T, path string, seed uint64) *chaos.Result {
	t.Helper()
	embedded := brokertest.New(t)
	cfg := chaos.Config{
		Brokers: embedded.Addrs(), Pipeline: "broken-" + cmp.Or(b.rule, "none"), Mode: b.mode, Worker: []string{path},
		Environment: []string{worker.RuleVariable + "=" + b.rule},
		Seed:        seed, Messages: 3000, Rate: 600, Keys: 60, Processes: 2, Session: 6 * time.Second, SlowWait: 4 * time.Second,
		Patience: patience, Stop: 4 * time.Second, Faults: b.faults,
	}
	if b.found == checker.Disordered {
		cfg.Patience = patienceWithLoss
	}
	if b.forGood > 0 {
		for _, stage := range []string{flow.First, flow.Second, flow.Third} {
			b.refuse(embedded.Cluster(), flow.Topic(cfg.Pipeline, stage))
		}
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
