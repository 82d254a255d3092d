package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/topics"
)

// Result is what came of a run.
type Result struct {
	Mode   Mode
	Report *checker.Report
	Kills  int

	// Met is how many kills met messages in the worker's filters.
	Met int

	// Recoveries are, for each kill, the longest time that a partition of the
	// stage's output stood still then; shortest first.
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
	if r.Mode == Graceful && repeated > 0 {
		errs = append(errs, fmt.Errorf("%d messages are repeated, and nobody was killed", repeated))
	}
	if r.Kills > 0 && (repeated == 0 || r.Met == 0) {
		errs = append(errs, errors.New("no kill met messages in flight: nothing was tried"))
	}
	if p := r.Report.Parking; r.Mode == Parking && (p.Runs == 0 || p.Delays == 0 || p.Staying == 0) {
		errs = append(errs, fmt.Errorf("nothing was tried: %v", p))
	}
	return errors.Join(errs...)
}

// Line is the run in one line.
func (r *Result) Line() string {
	return fmt.Sprintf("chaos: mode=%s kills=%d %s", r.Mode, r.Kills, r.Report.Totals())
}

// Details are the lines before that.
func (r *Result) Details() string {
	details := fmt.Sprintf("repeats by stage: %v\n", r.Report.RepeatsByHop())
	if r.Mode == Parking {
		details += fmt.Sprintln(r.Report.Parking)
	}
	if r.Mode == Graceful {
		details = r.Report.ListRepeats() + details
	}
	if n := len(r.Recoveries); n > 0 {
		details += fmt.Sprintf("%d of %d kills met messages in the worker's filters\n", r.Met, r.Kills)
		details += fmt.Sprintf("a partition stood still after a kill for: median %v, longest %v\n",
			r.Recoveries[n/2].Round(time.Millisecond), r.Recoveries[n-1].Round(time.Millisecond))
	}
	return details
}

// measure finds out what the kills met, and how long the outputs stood still.
func (r *Result) measure(ctx context.Context, cfg Config, kills []kill) error {
	reader, err := topics.New(cfg.Brokers)
	if err != nil {
		return err
	}
	defer reader.Close()
	for i, s := range cfg.stages() {
		records, err := reader.Read(ctx, flow.Topic(cfg.Pipeline, s.Name), flow.Partitions)
		if err != nil {
			return err
		}
		times := make([][]time.Time, flow.Partitions)
		for _, record := range records {
			times[record.Partition] = append(times[record.Partition], record.Timestamp)
		}
		for _, k := range kills {
			if k.stage == i {
				r.Recoveries = append(r.Recoveries, gap(times, k.at))
			}
		}
	}
	for _, k := range kills {
		if k.inFlight > 0 {
			r.Met++
		}
	}
	slices.Sort(r.Recoveries)
	return nil
}

// gap returns the longest time after at until a partition has a record again.
func gap(partitions [][]time.Time, at time.Time) (longest time.Duration) {
	for _, times := range partitions {
		next := slices.IndexFunc(times, at.Before)
		if next >= 0 {
			longest = max(longest, times[next].Sub(at))
		}
	}
	return longest
}
