//go:build kafka

package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos"
	"github.com/penstock/penstock/internal/kafkatest"
)

// TestRealKills is a short run of what `make chaos` does at length.
func TestRealKills(t *testing.T) {
	result := run(t, chaos.Config{
		Brokers: kafkatest.Brokers(t), Seed: 7, Messages: 8000,
		Faults: chaos.Faults{Kills: 4, Closes: 1, Joins: 1, Rollings: 1},
	})
	require.Empty(t, result.Report.List())
	require.NoError(t, result.Broken())
	require.Equal(t, 4, result.Kills)
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
