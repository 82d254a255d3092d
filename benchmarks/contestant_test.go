package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
)

// Every contestant runs, small, and its outputs pass the check.
func TestContestants(t *testing.T) {
	t.Parallel()
	const messages = 2000
	addrs := brokertest.New(t).Addrs()
	c, err := connect(addrs)
	require.NoError(t, err)
	t.Cleanup(c.close)
	l := load{Keys: 50, Partitions: 4}
	input := job{Input: "in"}.inputTopic()
	require.NoError(t, c.makeTopic(t.Context(), input, l.Partitions))
	require.NoError(t, c.fill(t.Context(), input, messages, l.Keys))
	for _, name := range sortedKeys(contestants) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := job{Contestant: name, Brokers: addrs, Run: "run-" + name, Input: "in", Messages: messages, Load: l}
			j.Load.Commit = 300
			require.NoError(t, c.makeTopic(t.Context(), j.outputTopic(), l.Partitions))
			given, err := json.Marshal(j)
			require.NoError(t, err)
			var told bytes.Buffer
			require.NoError(t, runContestant(t.Context(), bytes.NewReader(given), &told))

			var m measurement
			require.NoError(t, json.Unmarshal(told.Bytes(), &m))
			require.Equal(t, int64(messages), m.Messages)
			require.Positive(t, m.Seconds)
			require.Positive(t, m.Allocs)
			run, err := c.check(t.Context(), j, messages)
			require.NoError(t, err)
			require.Greater(t, run.outputBytes, float64(valueBytes))
			if name != "stock" { // its stop can leave some uncommitted
				require.Zero(t, run.uncommitted)
			}
		})
	}
}

func TestAnUnknownContestantIsAnError(t *testing.T) {
	t.Parallel()
	err := runContestant(t.Context(), strings.NewReader(`{"contestant":"nobody"}`), nil)
	require.ErrorContains(t, err, `"nobody"`)
	require.ErrorContains(t, runContestant(t.Context(), strings.NewReader(`not JSON`), nil), "read the job")
}
