package checker

import (
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// overtaken tests, for each output, that it was made when its message and its key
// were free to run.
func (p *parkings) overtaken() {
	inputs := map[flow.Message][]*Record{} // repeats too
	for i := range p.hop.Inputs {
		r := &p.hop.Inputs[i]
		if m, err := flow.Parse([]byte(r.Value)); err == nil && p.stretches[m.Key] != nil {
			inputs[m] = append(inputs[m], r)
		}
	}
	for i := range p.hop.Outputs {
		o := &p.hop.Outputs[i]
		m, err := flow.Parse([]byte(o.Value))
		if err != nil || p.stretches[m.Key] == nil || p.zombies.late[o] {
			continue
		}
		// A message that the input repeats is taken for the one that allows it.
		why := ""
		for _, input := range inputs[p.hop.Stage.Source(m)] {
			if why = p.hindered(input, o.Time); why == "" {
				break
			}
		}
		if why != "" {
			p.check.foundf(Overtaken, m, o, "it was made at %s, %s", clock(o.Time), why)
		}
	}
}

// hindered says why nothing could come of an input at a time, or "".
func (p *parkings) hindered(input *Record, t time.Time) string {
	var before []*stretch
	var own *stretch
	for _, s := range p.stretches[input.Key] {
		switch {
		case !s.contains(t) || s.origin.Offset > input.Offset:
		case s.origin.Offset == input.Offset:
			own = s
		default:
			before = append(before, s)
		}
	}
	if own == nil {
		if len(before) > 0 {
			return "while message " + before[0].message.Place().String() + " was parked before it"
		}
		return ""
	}
	run := own.runAt(t, -1)
	if run < 0 {
		return "while it was parked and not started"
	}
	for _, s := range before {
		if s.runAt(t, run) != run {
			return "while message " + s.message.Place().String() + " was parked before it, and did not run with it"
		}
	}
	return ""
}

// contains tells whether the message was parked at a time for certain: what is
// within a millisecond of its begin or end counts as outside.
func (s *stretch) contains(t time.Time) bool {
	return s.from.Before(t) && (s.to.IsZero() || t.Before(s.to))
}

// runAt is the run that the message was in at a time, -1: none. Of several within
// the millisecond it is want, if that is one of them.
func (s *stretch) runAt(t time.Time, want int64) (run int64) {
	run = -1
	for _, step := range s.runs {
		if step.at.After(t) {
			break
		}
		if step.at.Equal(t) && (step.run < 0 || run == want && want >= 0) {
			continue // it may have come after
		}
		run = step.run
	}
	return run
}

// heldUp tests that other keys of the partition went on while one waited for long:
// each of their messages that came then, from further on in the input.
func (p *parkings) heldUp() {
	if p.hop.Deadline == 0 {
		return
	}
	for _, of := range p.stretches {
		for _, s := range of {
			for _, w := range s.waits {
				if !s.to.IsZero() && s.to.Before(w.to) {
					w.to = s.to // a takeover has left it to the input
				}
				if w.to.Sub(w.from) > p.hop.Deadline {
					p.check.parked.Delays++
					p.goesOn(s, w)
				}
			}
		}
	}
}

func (p *parkings) goesOn(s *stretch, w wait) {
	for i := range p.hop.Inputs {
		in := &p.hop.Inputs[i]
		where := Origin{in.Topic, in.Partition, in.Offset}
		if in.Partition != s.origin.Partition || in.Offset < s.origin.Offset || flow.SlowKey(in.Key) || p.reported[where] {
			continue
		}
		if in.Time.Before(w.from) || in.Time.After(w.to.Add(-p.hop.Deadline)) {
			continue
		}
		m, err := flow.Parse([]byte(in.Value))
		if err != nil || p.ends[m].IsZero() {
			continue // lost, and found as that
		}
		if took := p.ends[m].Sub(in.Time); took > p.hop.Deadline {
			p.reported[where] = true
			p.check.foundf(HeldUp, m, in, "it took %v, while message %s of key %s waited", took, s.message.Place(), s.message.Key)
		}
	}
}
