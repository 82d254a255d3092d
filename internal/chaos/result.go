package chaos

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
)

// Result is what came of a run.
type Result struct {
	Mode   Mode
	Report *checker.Report
	Kills  int

	// Phases are those in which faults met workers.
	Phases Histogram

	// Session is the session time-out, in whose terms recoveries are told.
	Session time.Duration

	// Met is how many kills met a worker that was at work.
	Met int

	// Recoveries are, for each kill, the longest time that a partition of the stage's
	// output stood still then, as one saw it who read it; shortest first. Kills just before
	// the load's end are left out.
	Recoveries []time.Duration
}

// Broken returns an error that says which guarantees did not hold, or nil. A run
// whose kills did no harm is broken too, since it has shown nothing.
func (r *Result) Broken() error {
	var errs []error
	if n := len(r.Report.Findings); n > 0 {
		errs = append(errs, fmt.Errorf("the checker has %d findings", n))
	}
	repeated := len(r.Report.Repeats)
	if (r.Mode == Graceful || r.Mode == ExactlyOnce) && repeated > 0 {
		errs = append(errs, fmt.Errorf("%d messages are repeated", repeated))
	}
	if r.Mode == ExactlyOnce && r.Report.Parking.Again > 0 {
		errs = append(errs, fmt.Errorf("%d parked messages were tried again though they were at their ends", r.Report.Parking.Again))
	}
	if r.Kills > 0 && (repeated == 0 && r.Mode != ExactlyOnce || r.Met == 0) {
		errs = append(errs, errors.New("no kill met a worker at work, or none did any harm: nothing was tried"))
	}
	if p := r.Report.Parking; p.Runs == 0 || r.Mode == Parking && (p.Delays == 0 || p.Staying == 0) {
		errs = append(errs, fmt.Errorf("nothing was tried: %v", p))
	}
	return errors.Join(errs...)
}

// Line is the run in one line.
func (r *Result) Line() string {
	line := fmt.Sprintf("chaos: mode=%s kills=%d %s", r.Mode, r.Kills, r.Report.Totals())
	if median, longest := r.recovery(); longest > 0 {
		line += fmt.Sprintf(" recovery_median=%.2f recovery_longest=%.2f", r.sessions(median), r.sessions(longest))
	}
	return line
}

// recovery is how long an output stood still after a kill.
func (r *Result) recovery() (median, longest time.Duration) {
	n := len(r.Recoveries)
	if n == 0 {
		return 0, 0
	}
	return r.Recoveries[n/2], r.Recoveries[n-1]
}

// sessions is how many session time-outs a time is.
func (r *Result) sessions(d time.Duration) float64 { return d.Seconds() / r.Session.Seconds() }

// Details are the lines before that.
func (r *Result) Details() string {
	details := fmt.Sprintf("repeats by stage: %v\n%v\n", r.Report.RepeatsByHop(), r.Report.Parking)
	if r.Mode == Graceful || r.Mode == ExactlyOnce {
		details = r.Report.ListRepeats() + details
	}
	if len(r.Phases) > 0 {
		details += "phases in which faults met workers:\n" + r.Phases.String()
	}
	if median, longest := r.recovery(); longest > 0 {
		details += fmt.Sprintf("%d of %d kills met a worker at work\n", r.Met, r.Kills)
		details += fmt.Sprintf("a partition of the output stood still after a kill for: median %v, longest %v; the session time-out is %v\n",
			median.Round(time.Millisecond), longest.Round(time.Millisecond), r.Session)
	}
	return details
}

// measure finds out what the kills met, and how long the outputs stood still.
func (r *Result) measure(c *crew) {
	for i, s := range c.stages {
		times := c.pipes.times(flow.Topic(c.cfg.Pipeline, s.Name))
		for _, k := range c.happened.kills {
			if k.stage == i && c.happened.loaded.Sub(k.at) > seen*c.cfg.Session {
				stood := gap(times, k.at)
				r.Recoveries = append(r.Recoveries, stood)
				c.logf("after the kill at %s a partition of what stage %s puts out stood still for %v", k.at.Format(clock), s.Name, stood.Round(time.Millisecond))
			}
		}
	}
	for _, k := range c.happened.kills {
		if !k.idle {
			r.Met++
		}
	}
	slices.Sort(r.Recoveries)
}

// seen is for how many sessions there must be load behind a kill: where nothing more
// comes in, a partition stands still for other reasons.
const seen = 4

// soon is how long after a kill a partition may still get what was on its way.
const soon = time.Second

// gap returns the longest time without a record in a partition that began at a time,
// or soon after it, and has an end.
func gap(partitions [][]time.Time, at time.Time) (longest time.Duration) {
	for _, times := range partitions {
		next, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
		last := at
		for ; next < len(times) && last.Before(at.Add(soon)); next++ {
			longest, last = max(longest, times[next].Sub(last)), times[next]
		}
	}
	return longest
}
