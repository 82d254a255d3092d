package cmd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock/penstock/router"
)

// Summary is what a run has done.
type Summary struct {
	// Duration is how long it took, from the start of the stages to their end.
	Duration time.Duration

	// Stages are those that ran in this process, in topological order.
	Stages []router.Stats
}

// Stage returns what a stage has done, "resize" or "thumbnails.resize". One
// that did not run here has done nothing.
func (s Summary) Stage(name string) router.Stats {
	for _, stage := range s.Stages {
		if stage.Stage == name || strings.HasSuffix(stage.Stage, "."+name) {
			return stage
		}
	}
	return router.Stats{Stage: name}
}

// Poisoned is how many messages were poisoned, in all stages.
func (s Summary) Poisoned() int64 {
	var n int64
	for _, stage := range s.Stages {
		n += stage.Poisoned
	}
	return n
}

// PerSecond is the rate of n messages over the whole run.
func (s Summary) PerSecond(n int64) float64 {
	if s.Duration <= 0 {
		return 0
	}
	return float64(n) / s.Duration.Seconds()
}

// rounded is a duration that a person reads.
func rounded(d time.Duration) time.Duration {
	if d > time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}

// printSummary prints the figures and, of a run that is done, the closing words.
func (a *app) printSummary(j *job, s Summary, done bool) {
	if j.flags.json {
		a.stdout.document(s.document())
		return
	}
	s.write(a.stdout)
	if !done {
		return
	}
	if a.program.Summary != nil {
		fmt.Fprintln(a.stdout, strings.TrimRight(a.program.Summary(s), "\n"))
		return
	}
	line := fmt.Sprintf("Done in %v; nothing was poisoned.", rounded(s.Duration))
	if n := s.Poisoned(); n > 0 {
		line = fmt.Sprintf("Done in %v; poisoned: %d. Look at them with: %s", rounded(s.Duration), n, commandLine(a.name, "poison ls", j.flags.flags, isConnection))
	}
	fmt.Fprintln(a.stdout, line)
}

// maxReasonsShown bounds the list of reasons in a summary.
const maxReasonsShown = 20

// write writes the figures of each stage and why messages were poisoned.
func (s Summary) write(w *output) {
	t := &table{head: []string{"STAGE", "IN", "OUT", "SKIPPED", "RETRIED", "PARKED", "POISONED", "IN A SECOND"}}
	why := &table{head: []string{"POISONED", "STAGE", "REASON"}, cut: 2}
	for _, stage := range s.Stages {
		t.add(stage.Stage, number(stage.In), number(stage.Out), number(stage.Skipped), number(stage.Retried), number(stage.Parked), number(stage.Poisoned),
			strconv.FormatFloat(s.PerSecond(stage.In), 'f', 1, 64))
		for _, reason := range byCount(stage.Reasons) {
			why.add(number(stage.Reasons[reason]), stage.Stage, reason)
		}
	}
	t.write(w)
	fmt.Fprintln(w)
	if len(why.rows) == 0 {
		return
	}
	more := len(why.rows) - maxReasonsShown
	why.rows = why.rows[:min(len(why.rows), maxReasonsShown)]
	why.write(w)
	if more > 0 {
		fmt.Fprintf(w, "and %d more reasons\n", more)
	}
	fmt.Fprintln(w)
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// byCount lists reasons, the most frequent first.
func byCount(reasons map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(reasons), func(x, y string) int {
		return cmp.Or(cmp.Compare(reasons[y], reasons[x]), strings.Compare(x, y))
	})
}

// summaryDocument is a summary for scripts.
type summaryDocument struct {
	DurationSeconds float64         `json:"durationSeconds"`
	Stages          []stageDocument `json:"stages"`
}

type stageDocument struct {
	Stage     string           `json:"stage"`
	In        int64            `json:"in"`
	Out       int64            `json:"out"`
	Skipped   int64            `json:"skipped"`
	Retried   int64            `json:"retried"`
	Parked    int64            `json:"parked"`
	Poisoned  int64            `json:"poisoned"`
	Restarts  int64            `json:"restarts"`
	PerSecond float64          `json:"inPerSecond"`
	Reasons   map[string]int64 `json:"reasons,omitempty"`
}

func (s Summary) document() summaryDocument {
	d := summaryDocument{DurationSeconds: s.Duration.Seconds(), Stages: []stageDocument{}}
	for _, x := range s.Stages {
		d.Stages = append(d.Stages, stageDocument{
			Stage: x.Stage, In: x.In, Out: x.Out, Skipped: x.Skipped, Retried: x.Retried, Parked: x.Parked, Poisoned: x.Poisoned,
			Restarts: x.Restarts, PerSecond: s.PerSecond(x.In), Reasons: x.Reasons,
		})
	}
	return d
}
