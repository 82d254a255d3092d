//go:build kafka

package chaos_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos"
	"github.com/penstock/penstock/internal/kafkatest"
)

// links are the ways to the broker that can be cut.
func links(t *testing.T) []chaos.Link {
	t.Helper()
	worker, broker, ok := strings.Cut(os.Getenv("PENSTOCK_TEST_LINKS"), "=")
	require.True(t, ok, "the test needs a link to the broker: run it with make test-kafka")
	return []chaos.Link{{Worker: worker, Broker: broker}}
}

// TestRealKills is a short run of what `make chaos` does at length.
func TestRealKills(t *testing.T) {
	result := run(t, chaos.Config{
		Brokers: kafkatest.Brokers(t), Links: links(t), Seed: 7, Messages: 12_000, Rate: 600, SlowWait: 5 * time.Second,
		Faults: chaos.Faults{Kills: 3, Rollings: 1, Freezes: 1, Cuts: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Equal(t, 3, result.Kills)
}

// TestRealExactlyOnce repeats nothing either.
func TestRealExactlyOnce(t *testing.T) {
	result := run(t, chaos.Config{
		Brokers: kafkatest.Brokers(t), Links: links(t), Mode: chaos.ExactlyOnce, Seed: 10, Messages: 12_000, Rate: 400, SlowWait: 5 * time.Second,
		Faults: chaos.Faults{Kills: 3, Closes: 1, Freezes: 1, Cuts: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Equal(t, 3, result.Kills)
}

// TestRealRollingRestarts repeats nothing: nobody is killed.
func TestRealRollingRestarts(t *testing.T) {
	result := run(t, chaos.Config{
		Brokers: kafkatest.Brokers(t), Mode: chaos.Graceful, Seed: 8, Messages: 5000,
		Faults: chaos.Faults{Closes: 2, Rollings: 2},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Empty(t, result.Report.ListRepeats())
}

// TestRealParking is a short run of what `make chaos MODE=parking` does at length.
func TestRealParking(t *testing.T) {
	result := run(t, chaos.Config{
		Brokers: kafkatest.Brokers(t), Mode: chaos.Parking, Seed: 9, Messages: 8000, Keys: 80, Processes: 2, SlowWait: 15 * time.Second,
		Faults: chaos.Faults{Kills: 4, Closes: 1, Rollings: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Equal(t, 4, result.Kills)
}
