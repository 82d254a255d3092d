package main

import "slices"

// sample is what one run of an entrant came to.
type sample struct {
	Rate        float64 `json:"messages_per_second"`
	CPU         float64 `json:"cpu_us_per_message"`
	Allocs      float64 `json:"allocs_per_message"`
	AllocBytes  float64 `json:"alloc_bytes_per_message"`
	OutputBytes float64 `json:"output_bytes_per_message"`
	Uncommitted int64   `json:"uncommitted"`
}

func newSample(m measurement, c checkedRun) sample {
	n := float64(m.Messages)
	return sample{
		Rate: n / m.Seconds, CPU: m.CPU * 1e6 / n, Allocs: float64(m.Allocs) / n, AllocBytes: float64(m.Bytes) / n,
		OutputBytes: c.outputBytes, Uncommitted: c.uncommitted,
	}
}

// spread is the median of some runs, and between what they lie.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(samples []sample, of func(sample) float64) spread {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return spread{Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
}

// median of at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// figures of an entrant on a broker.
type figures struct {
	Entrant    string   `json:"entrant"`
	Contestant string   `json:"contestant"`
	Load       load     `json:"load"`
	Rate       spread   `json:"messages_per_second"`
	CPU        spread   `json:"cpu_us_per_message"`
	Allocs     spread   `json:"allocs_per_message"`
	AllocBytes spread   `json:"alloc_bytes_per_message"`
	Runs       []sample `json:"runs"`
}

func figuresOf(e entrant, samples []sample) figures {
	return figures{
		Entrant: e.Name, Contestant: e.Contestant, Load: e.Load, Runs: samples,
		Rate:       spreadOf(samples, func(s sample) float64 { return s.Rate }),
		CPU:        spreadOf(samples, func(s sample) float64 { return s.CPU }),
		Allocs:     spreadOf(samples, func(s sample) float64 { return s.Allocs }),
		AllocBytes: spreadOf(samples, func(s sample) float64 { return s.AllocBytes }),
	}
}

// measuredRatio is a ratio as it came out. Rounds are compared with themselves
// first, because what else the machine did differs between rounds.
type measuredRatio struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	CPU     float64 `json:"cpu,omitempty"` // messages a CPU second, likewise: it suffers less from what else runs
	Goal    float64 `json:"goal"`
	Reached bool    `json:"reached"`
}

// ratiosOf leaves out those whose entrants did not run.
func ratiosOf(c benchCase, samples map[string][]sample) []measuredRatio {
	var ratios []measuredRatio
	for _, r := range c.Ratios {
		of, to := samples[r.Of], samples[r.To]
		if len(of) == 0 || (len(to) != len(of) && r.Ideal == 0) {
			continue
		}
		m := measuredRatio{Name: r.name(), Goal: r.Goal}
		if r.Ideal > 0 {
			m.Value = median(each(of, func(i int) float64 { return of[i].Rate / r.Ideal }))
		} else {
			m.Value = median(each(of, func(i int) float64 { return of[i].Rate / to[i].Rate }))
			m.CPU = median(each(of, func(i int) float64 { return to[i].CPU / of[i].CPU }))
		}
		m.Reached = m.Value >= m.Goal
		ratios = append(ratios, m)
	}
	return ratios
}

// each is what value says of each round.
func each(rounds []sample, value func(i int) float64) []float64 {
	values := make([]float64, len(rounds))
	for i := range rounds {
		values[i] = value(i)
	}
	return values
}
