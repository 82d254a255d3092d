package health

import (
	"fmt"
	"time"

	"github.com/penstock/penstock/router"
)

// Report is an answer of /healthz or /readyz.
type Report struct {
	// OK is what the status code says.
	OK bool `json:"ok"`

	// Degraded tells that something does not work as it should, though that is
	// no reason to restart the process.
	Degraded bool `json:"degraded,omitempty"`

	// Why says in a sentence each what keeps it from being OK, or degrades it.
	Why []string `json:"why,omitempty"`

	Stages  []Stage  `json:"stages"`
	Sources []Source `json:"sources"`
}

// Stage is a stage in a Report.
type Stage struct {
	Stage   string         `json:"stage"` // "<pipeline>.<stage>"
	State   router.State   `json:"state"`
	Since   time.Time      `json:"since"`
	Error   string         `json:"error,omitempty"`
	Next    time.Time      `json:"next,omitzero"` // when it is tried again
	Breaker string         `json:"breaker,omitempty"`
	Parked  int64          `json:"parked,omitempty"`
	Stuck   []StuckAttempt `json:"stuck,omitempty"`
	Taking  []Takeover     `json:"takingOver,omitempty"`
	Crashes []Crashed      `json:"crashes,omitempty"`
}

// StuckAttempt is an attempt that has been under way for too long.
type StuckAttempt struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Since     time.Time `json:"since"`
}

// Crashed is a partition whose owners have ended without a word.
type Crashed struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Since     time.Time `json:"since"`
	Ends      int       `json:"ends"`
	Alone     bool      `json:"alone,omitempty"`
	Held      int       `json:"held,omitempty"`
	Halted    bool      `json:"halted,omitempty"`
}

// Takeover is a partition whose retry log is being read.
type Takeover struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Since     time.Time `json:"since"`
	Read      int64     `json:"read"`
	Of        int64     `json:"of,omitempty"` // about
}

// Source is a source in a Report.
type Source struct {
	Source string       `json:"source"` // "<pipeline>.<source>"
	State  router.State `json:"state"`
	Since  time.Time    `json:"since"`
	Error  string       `json:"error,omitempty"`
	Next   time.Time    `json:"next,omitzero"`
}

// alive tells whether the process is to be left alone.
func alive(s router.Status) Report {
	r := describe(s)
	r.OK = true
	for _, stage := range s.Stages {
		for _, a := range stage.Stuck {
			r.OK = false
			r.whyf("stage %s has been at %s/%d@%d since %s", stage.Stage, a.Topic, a.Partition, a.Offset, a.Since.Format(time.RFC3339))
		}
		if b := stage.Breaker; b.State == router.BreakerOpen || b.State == router.BreakerProbing {
			r.Degraded = true
			r.whyf("the breaker of stage %s has been open since %s: %s", stage.Stage, b.Since.Format(time.RFC3339), text(b.Cause))
		}
		for _, c := range stage.Crashes {
			if c.Alone || c.Held > 0 {
				r.Degraded = true
				r.crashed(stage.Stage, c)
			}
		}
		r.degrade("stage "+stage.Stage, stage.Life)
	}
	for _, source := range s.Sources {
		r.degrade("source "+source.Source, source.Life)
	}
	r.degrade("the program", s.Life)
	return r
}

// ready tells whether all stages work. Sources do not count: what they put is
// read whenever the stages are ready.
func ready(s router.Status) Report {
	r := describe(s)
	if s.State != router.StateRunning {
		r.whyf("the program is %s%s", s.State, because(s.Error))
	}
	for _, stage := range s.Stages {
		if stage.State != router.StateRunning {
			r.whyf("stage %s is %s%s", stage.Stage, stage.State, because(stage.Error))
		}
		for _, c := range stage.Crashes {
			if c.Halted {
				r.crashed(stage.Stage, c)
			}
		}
		for _, t := range stage.TakingOver {
			r.whyf("stage %s is taking over %s/%d since %s: %d records of about %d are read", stage.Stage, t.Topic, t.Partition, t.Since.Format(time.RFC3339), t.Read, t.Of)
		}
	}
	r.OK = len(r.Why) == 0
	return r
}

// crashed says how a partition is that is not in normal flow for how its owners ended.
func (r *Report) crashed(stage string, c router.Crashed) {
	switch {
	case c.Halted:
		r.whyf("stage %s has halted at %s/%d: the process has ended with each of several messages alone at work, and none has succeeded since this one started; that looks like a mistake in the program", stage, c.Topic, c.Partition)
	case c.Held > 0:
		r.whyf("stage %s holds %d messages of %s/%d: the process has ended each time that they were alone at work; another has to succeed before they are poisoned", stage, c.Held, c.Topic, c.Partition)
	default:
		r.whyf("stage %s runs messages of %s/%d one at a time: owners of the partition have ended %d times without a word", stage, c.Topic, c.Partition, c.Ends)
	}
}

func (r *Report) whyf(format string, args ...any) {
	r.Why = append(r.Why, fmt.Sprintf(format, args...))
}

func (r *Report) degrade(what string, life router.Life) {
	if life.State == router.StateRestarting {
		r.Degraded = true
		r.whyf("%s is restarting%s", what, because(life.Error))
	}
}

// describe lists the stages and sources.
func describe(s router.Status) Report {
	r := Report{Stages: make([]Stage, len(s.Stages)), Sources: make([]Source, len(s.Sources))}
	for i, stage := range s.Stages {
		out := Stage{
			Stage: stage.Stage, State: stage.State, Since: stage.Since, Error: text(stage.Error), Next: stage.Next,
			Breaker: string(stage.Breaker.State), Parked: stage.ParkedNow.Messages,
		}
		for _, a := range stage.Stuck {
			out.Stuck = append(out.Stuck, StuckAttempt(a))
		}
		for _, c := range stage.Crashes {
			out.Crashes = append(out.Crashes, Crashed(c))
		}
		for _, t := range stage.TakingOver {
			out.Taking = append(out.Taking, Takeover(t))
		}
		r.Stages[i] = out
	}
	for i, source := range s.Sources {
		r.Sources[i] = Source{Source: source.Source, State: source.State, Since: source.Since, Error: text(source.Error), Next: source.Next}
	}
	return r
}

// maxText bounds an error in a report, in bytes.
const maxText = 1 << 10

func text(err error) string {
	if err == nil {
		return ""
	}
	t := err.Error()
	if len(t) > maxText {
		t = t[:maxText] + "…"
	}
	return t
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + text(err)
}
