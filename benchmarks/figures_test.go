package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 2.0, median([]float64{9, 1, 2}), 0)
	require.InDelta(t, 2.5, median([]float64{9, 1, 3, 2}), 0)
	require.InDelta(t, 7.0, median([]float64{7}), 0)
}

func TestASampleIsPerMessage(t *testing.T) {
	t.Parallel()
	s := newSample(measurement{Messages: 1000, Seconds: 2, CPU: 0.004, Allocs: 5000, Bytes: 64_000}, checkedRun{uncommitted: 3, outputBytes: 269})
	require.InDelta(t, 500.0, s.Rate, 1e-9)
	require.InDelta(t, 4.0, s.CPU, 1e-9)
	require.InDelta(t, 5.0, s.Allocs, 1e-9)
	require.InDelta(t, 64.0, s.AllocBytes, 1e-9)
	require.Equal(t, int64(3), s.Uncommitted)
}

func rates(values ...float64) []sample {
	samples := make([]sample, len(values))
	for i, v := range values {
		samples[i] = sample{Rate: v, CPU: 1000 / v}
	}
	return samples
}

// A machine that is slow for a round is slow for all: each round is compared
// with itself.
func TestRatiosAreTakenWithinRounds(t *testing.T) {
	t.Parallel()
	c := benchCase{Ratios: []ratio{{Of: "a", To: "b", Goal: 2}, {Of: "a", To: "ideal", Ideal: 50, Goal: 5}, {Of: "a", To: "absent", Goal: 1}}}
	got := ratiosOf(c, map[string][]sample{"a": rates(200, 20, 300), "b": rates(100, 10, 100)})
	require.Equal(t, []measuredRatio{
		{Name: "a/b", Value: 2, CPU: 2, Goal: 2, Reached: true},
		{Name: "a/ideal", Value: 4, Goal: 5},
	}, got)
}

func TestTheLastLine(t *testing.T) {
	t.Parallel()
	s, err := readSettings(func(string) string { return "" })
	require.NoError(t, err)
	samples := map[string][]sample{"stock": rates(10_000), "byhand": rates(200_000), "kgo": rates(400_000), "ours": rates(300_000)}
	r := newReport(s)
	r.add(&startedBroker{name: embedded}, samples)
	require.Equal(t, "bench: broker=embedded stock=10000 byhand=200000 kgo=400000 ours=300000 ours/stock=30.00 ours/byhand=1.50 ours/kgo=0.75", line(s.Case, r.Brokers[0]))
}

func TestTheLineOfAnotherCaseNamesIt(t *testing.T) {
	t.Parallel()
	s, err := readSettings(func(name string) string { return map[string]string{"CASE": "hotkey"}[name] })
	require.NoError(t, err)
	r := newReport(s)
	r.add(&startedBroker{name: embedded}, map[string][]sample{"many": rates(100), "hot": rates(95)})
	require.Equal(t, "bench: case=hotkey broker=embedded many=100 hot=95 hot/many=0.95", line(s.Case, r.Brokers[0]))
}
