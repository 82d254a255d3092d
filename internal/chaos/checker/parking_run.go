package checker

import (
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
)

// skew is how much before its time a message may be started: times in the log are
// cut to milliseconds.
const skew = 2 * time.Millisecond

// unseen tells whether the record is about what was parked where nothing was seen,
// so that it cannot be tested. It is taken down as a step of what is known of it.
func (w *logWalk) unseen(r *retrylog.Record) bool {
	if !w.blind || !slices.ContainsFunc(r.Entries, func(e retrylog.Entry) bool { return w.fold.Live(e) == nil }) {
		return false
	}
	for _, entry := range r.Entries {
		if s := w.current[entry]; s != nil {
			s.runs = append(s.runs, step{r.Time, r.Offset})
		}
	}
	return true
}

// start tests a START: of what is parked, in its order, all from the head on.
func (w *logWalk) start(r *retrylog.Record) {
	w.check.parked.Runs++
	if w.unseen(r) {
		return
	}
	for i, entry := range r.Entries {
		l := w.fold.Live(entry)
		s := w.current[entry]
		if l == nil || s == nil {
			w.check.foundf(Misparked, flow.Message{}, at(r), "it starts what stands at %d in the input, which is not parked", entry.Offset)
			continue
		}
		if queue := w.fold.Key(l.Key); i >= len(queue) || queue[i] != l {
			w.check.foundf(Overtaken, s.message, at(r), "it is started as number %d of its key, and others stand before it", i+1)
		}
		if l.Run >= 0 {
			w.check.foundf(Overtaken, s.message, at(r), "it is started, and its run that began at %d has not ended", l.Run)
		}
		if r.Time.Before(l.NotBefore.Add(-skew)) {
			w.check.foundf(Overtaken, s.message, at(r), "it is started at %s, and was to wait until %s", clock(r.Time), clock(l.NotBefore))
		}
		if end, ok := w.ends[s.message]; ok && w.started[entry] && end.Before(r.Time) {
			w.check.parked.Again++
		}
		w.started[entry] = true
		s.runs = append(s.runs, step{r.Time, r.Offset})
	}
}

// done tests a DONE: of what was started, in its order, and is at its end.
func (w *logWalk) done(r *retrylog.Record) {
	if w.unseen(r) {
		return
	}
	for i, entry := range r.Entries {
		l := w.fold.Live(entry)
		s := w.current[entry]
		if l == nil || s == nil {
			w.check.foundf(Misparked, flow.Message{}, at(r), "it ends what stands at %d in the input, which is not parked", entry.Offset)
			continue
		}
		if l.Run < 0 {
			w.check.foundf(Misparked, s.message, at(r), "it is ended, and was not started")
		}
		if queue := w.fold.Key(l.Key); i >= len(queue) || queue[i] != l {
			w.check.foundf(Overtaken, s.message, at(r), "it is ended as number %d of its key, and others stand before it", i+1)
		}
		if _, ever := w.ends[s.message]; !w.endedBy(s.message, r.Time) && (!ever || !w.hop.Once) {
			w.check.foundf(Early, s.message, at(r), "it is ended at %s, and what was to come of it was not there", clock(r.Time))
		}
		want := retrylog.Succeeded
		if w.hop.Stage.Poisons(s.message) {
			want = retrylog.Poisoned
		}
		if r.Outcome != want {
			w.check.foundf(Misparked, s.message, at(r), "its outcome is %d, and should be %d", r.Outcome, want)
		}
	}
}
