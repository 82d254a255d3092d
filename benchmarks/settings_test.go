package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	env := map[string]string{"MESSAGES": "5000", "ROUNDS": "2", "BROKERS": "kafka", "CONTESTANTS": "ours,kgo", "GOGC": "400"}
	s, err := readSettings(func(name string) string { return env[name] })
	require.NoError(t, err)
	require.Equal(t, int64(5000), s.Messages)
	require.Equal(t, 2, s.Rounds)
	require.Equal(t, []string{"kafka"}, s.Brokers)
	require.Equal(t, "400", s.GOGC)
	var names []string
	for _, e := range s.entrants() {
		names = append(names, e.Name)
	}
	require.Equal(t, []string{"kgo", "ours"}, names)
}

func TestEveryWrongSettingIsNamed(t *testing.T) {
	t.Parallel()
	env := map[string]string{"MESSAGES": "many", "ROUNDS": "0", "BROKERS": "redis"}
	_, err := readSettings(func(name string) string { return env[name] })
	for name := range env {
		require.ErrorContains(t, err, name)
	}
	_, err = readSettings(func(name string) string { return map[string]string{"CASE": "none"}[name] })
	require.ErrorContains(t, err, "lanesfast")
	_, err = readSettings(func(name string) string { return map[string]string{"CONTESTANTS": "hot"}[name] })
	require.ErrorContains(t, err, `"hot"`)
}

func TestEveryEntrantCanRun(t *testing.T) {
	t.Parallel()
	for name, c := range cases {
		require.Equal(t, name, c.Name)
		names := map[string]bool{"ideal": true}
		for _, e := range c.Entrants {
			require.Contains(t, contestants, e.Contestant)
			require.False(t, names[e.Name], "%s is there twice", e.Name)
			names[e.Name] = true
		}
		for _, r := range c.Ratios {
			require.True(t, names[r.Of] && names[r.To], r.name())
		}
	}
}
