package flow_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// often is as much trouble as there is in mode parking.
var often = flow.Trouble{Chance: 7, Slow: true}

func TestOneAttemptInSevenFails(t *testing.T) {
	t.Parallel()
	for _, s := range flow.Stages(often) {
		attempts, failed, most := 0, 0, 0
		for key := 10; key < 60; key++ {
			for n := range 1000 {
				m := flow.Message{Pipe: s.Input, Key: flow.Key(key), Number: n}
				if s.Hopeless(m) {
					require.Equal(t, s.Attempts()+flow.Parks, s.Tries(m))
					require.True(t, s.Fails(m, s.Tries(m)))
					continue
				}
				tries := s.Tries(m)
				require.False(t, s.Fails(m, tries), "chance poisons nothing")
				attempts, failed, most = attempts+tries, failed+tries-1, max(most, tries)
			}
		}
		require.InDelta(t, 1.0/7, float64(failed)/float64(attempts), 0.005, "stage %s", s.Name)
		require.GreaterOrEqual(t, most, 4)
	}
}

func TestAMessageComesFromItsSource(t *testing.T) {
	t.Parallel()
	for _, s := range flow.Stages(often) {
		for n := range 20 {
			for part := range 2 {
				if part > 0 && s.Name == flow.First {
					continue
				}
				m := flow.Message{Pipe: s.Input, Key: "a", Number: n, Part: part}
				for _, made := range s.Make(m) {
					require.Equal(t, m, s.Source(made))
				}
			}
		}
	}
}

func TestOneKeyStaysParkedAndSomeWaitForLong(t *testing.T) {
	t.Parallel()
	first, second := flow.Stages(often)[0], flow.Stages(often)[1]
	message := func(s flow.Stage, key, n int) flow.Message {
		return flow.Message{Pipe: s.Input, Key: flow.Key(key), Number: n}
	}
	require.True(t, first.Blocks(message(first, 0, 12)))
	for n := range 100 {
		m := message(first, 0, n)
		require.Equal(t, n >= 12, first.Stays(m))
		require.False(t, first.Stays(m) && first.Poisons(m), "%d", n)
		require.False(t, second.Stays(message(second, 0, n)))
	}
	for key := range 5 {
		require.Equal(t, key < 4, first.Slow(message(first, key, 505)), fmt.Sprint(key))
	}
	for _, s := range flow.Stages(flow.Trouble{}) {
		require.False(t, s.Parking() || s.Stays(message(s, 0, 12)) || s.Slow(message(s, 1, 5)) || s.Fails(message(s, 1, 5), 1))
	}
}
