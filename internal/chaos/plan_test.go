package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos"
)

func TestASeedDrawsTheSameFaults(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cfg := chaos.WithDefaults(chaos.Config{
			Mode: rapid.SampledFrom(chaos.Modes).Draw(t, "mode"), Seed: rapid.Uint64().Draw(t, "seed"),
			Links: make([]chaos.Link, 3), Faults: chaos.DefaultFaults(chaos.AtLeastOnce, rapid.IntRange(0, 40).Draw(t, "kills")),
		})
		faults := chaos.Plan(cfg, 3)
		require.Equal(t, faults, chaos.Plan(cfg, 3))
		require.Equal(t, cfg.Faults, chaos.Kinds(faults))
		cfg.Seed++
		require.NotEqual(t, faults, chaos.Plan(cfg, 3))
	})
}

// The messages are spread over the time that the faults take.
func TestManyFaultsSlowTheLoadDown(t *testing.T) {
	t.Parallel()
	few := chaos.WithDefaults(chaos.Config{Messages: 200_000, Faults: chaos.Faults{Kills: 10}})
	require.Equal(t, 1600, few.Rate)
	many := chaos.WithDefaults(chaos.Config{Messages: 200_000, Faults: chaos.Faults{Kills: 200}})
	require.Equal(t, 200, many.Rate)
}

func TestTheGapIsTheLongestThatBeginsWithTheKill(t *testing.T) {
	t.Parallel()
	begun := time.UnixMilli(1_000_000_000_000)
	at := func(ms ...int) (times []time.Time) {
		for _, n := range ms {
			times = append(times, begun.Add(time.Duration(n)*time.Millisecond))
		}
		return times
	}
	kill := begun.Add(100 * time.Millisecond)
	for name, v := range map[string]struct {
		partitions [][]time.Time
		want       time.Duration
	}{
		"from the kill on":                {[][]time.Time{at(50, 400)}, 300 * time.Millisecond},
		"behind what was on its way":      {[][]time.Time{at(50, 110, 120, 2120)}, 2 * time.Second},
		"in the worst partition":          {[][]time.Time{at(101, 150, 3000), at(101, 150, 5000)}, 4850 * time.Millisecond},
		"none that begins later":          {[][]time.Time{at(150, 500, 1000, 1200, 9000)}, 500 * time.Millisecond},
		"none where nothing comes at all": {[][]time.Time{at(50)}, 0},
	} {
		require.Equal(t, v.want, chaos.Gap(v.partitions, kill), name)
	}
}

func TestOnlySomeKindsOfFaults(t *testing.T) {
	t.Parallel()
	all := chaos.DefaultFaults(chaos.AtLeastOnce, 10)
	only, err := all.Only([]string{"kill", "rolling restart"})
	require.NoError(t, err)
	require.Equal(t, chaos.Faults{Kills: all.Kills, Rollings: all.Rollings}, only)
	every, err := all.Only([]string{"kill", "close", "join", "rolling restart", "freeze", "broker", "cut"})
	require.NoError(t, err)
	require.Equal(t, all, every)
	_, err = all.Only([]string{"kills"})
	require.ErrorContains(t, err, `"kills"`)
}
