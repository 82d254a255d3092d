package checker

import (
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
)

// logWalk follows one partition of a retry log.
type logWalk struct {
	*parkings

	fold    *retrylog.Fold
	current map[retrylog.Entry]*stretch // of what is live
	writers map[int64]retrylog.Producer // by epoch
	scan    int64                       // the offset of the last SCAN of the epoch, -1: none
	w       int64                       // of the last RESUME, -1: none
	taken   time.Time                   // when the epoch began
	inputs  []*Record                   // of the partition, by offset
	started map[retrylog.Entry]bool     // ever
	freed   map[string]time.Time        // when a message of a key was ended in this epoch
	blind   bool                        // records of this epoch were not seen
	idle    bool                        // the epoch has nothing but its TAKE and RESUME yet
}

func (p *parkings) partition(records []retrylog.Record) {
	w := &logWalk{
		parkings: p, fold: retrylog.NewFold(), current: map[retrylog.Entry]*stretch{}, writers: map[int64]retrylog.Producer{},
		scan: -1, w: -1, started: map[retrylog.Entry]bool{}, freed: map[string]time.Time{},
	}
	for i := range p.hop.Inputs {
		if r := &p.hop.Inputs[i]; r.Partition == records[0].Partition {
			w.inputs = append(w.inputs, r)
		}
	}
	for i := range records {
		if r := &records[i]; r.Removed > 0 {
			w.gap(r)
		}
		w.record(&records[i])
	}
	if p.live == nil {
		p.live = map[flow.Message]int{}
	}
	for _, s := range w.current {
		p.live[s.message]++
	}
	p.check.parked.Staying += len(w.current)
}

// gap begins anew at a SCAN, below which records were not seen.
func (w *logWalk) gap(r *retrylog.Record) {
	if r.Kind != retrylog.Scan {
		w.check.foundf(Misparked, flow.Message{}, at(r), "%d records before it are missing, and it is no SCAN", r.Removed)
	}
	w.check.parked.Gaps++
	w.check.parked.Unread += int(r.Removed)
	for _, s := range w.current {
		s.to = r.Time
	}
	clear(w.current)
	w.fold, w.blind = retrylog.NewFold(), true
	w.writers[r.Epoch] = r.Producer
}

// record tests a record, and then folds it in.
func (w *logWalk) record(r *retrylog.Record) {
	counts := w.fold.Counts(&r.Event)
	w.owner(r, counts)
	if !counts {
		w.check.parked.Void++
		return
	}
	switch r.Kind {
	case retrylog.Take:
		w.take(r)
	case retrylog.Resume:
		w.resume(r)
	case retrylog.Park:
		w.park(r)
	case retrylog.Start:
		w.start(r)
	case retrylog.Done:
		w.done(r)
	case retrylog.Scan:
		w.scan = r.Offset
	case retrylog.Replay, retrylog.Drop:
		w.check.foundf(Misparked, flow.Message{}, at(r), "an operator's record, and there is no operator")
	}
	ended := w.fold.Apply(r)
	for _, l := range ended {
		if s := w.current[l.Entry]; s != nil {
			s.to = r.Time
			delete(w.current, l.Entry)
		}
		if r.Kind == retrylog.Done {
			w.freed[l.Key] = r.Time
		}
	}
	w.idle = r.Kind == retrylog.Take || w.idle && r.Kind == retrylog.Resume
	if r.Kind == retrylog.Resume {
		w.check.parked.Dropped += len(ended)
	}
}

// owner tests that the record's epoch has begun, and has one writer of all that counts:
// one that may have taken newer epochs of its producer id since.
func (w *logWalk) owner(r *retrylog.Record, counts bool) {
	epoch := r.Epoch
	switch r.Kind {
	case retrylog.Take:
		epoch = r.Offset
		w.writers[epoch] = r.Producer
		return
	case retrylog.Replay, retrylog.Drop:
		return
	case retrylog.Resume, retrylog.Park, retrylog.Start, retrylog.Done, retrylog.Scan:
	}
	switch writer, begun := w.writers[epoch]; {
	case !begun:
		w.check.foundf(Unfenced, flow.Message{Key: string(r.Key)}, at(r), "its epoch is %d, and no TAKE lies there", epoch)
	case counts && r.Producer.MayFollow(writer):
		w.writers[epoch] = r.Producer
	case counts:
		w.check.foundf(Unfenced, flow.Message{Key: string(r.Key)}, at(r), "producer %s wrote it, and epoch %d is that of producer %s", r.Producer, epoch, writer)
	}
}

// take begins an epoch.
func (w *logWalk) take(r *retrylog.Record) {
	w.check.parked.Takeovers++
	if w.idle {
		w.check.parked.Short++
	}
	w.taken, w.scan, w.blind = r.Time, -1, false
	clear(w.freed)
	for _, s := range w.current {
		s.runs = append(s.runs, step{r.Time, -1})
	}
}

// resume tests that all that the takeover leaves behind is at its end or parked.
func (w *logWalk) resume(r *retrylog.Record) {
	if r.Input != w.hop.InputID {
		w.check.foundf(Misparked, flow.Message{}, at(r), "it names a topic with the id %x, and the input has %x", r.Input, w.hop.InputID)
	}
	if r.W < w.w {
		w.check.foundf(Early, flow.Message{}, at(r), "the input is read from %d on, and was from %d before", r.W, w.w)
	}
	for _, input := range w.inputs {
		if input.Offset < w.w || input.Offset >= r.W {
			continue
		}
		m, err := flow.Parse([]byte(input.Value))
		entry := retrylog.Entry{Topic: r.Input, Offset: input.Offset}
		if err == nil && w.fold.Live(entry) == nil && !w.endedBy(m, w.taken) {
			w.check.foundf(Early, m, input, "it lies below %d, from where the takeover at offset %d goes on, and was neither parked nor at its end", r.W, r.Epoch)
		}
	}
	w.w = max(w.w, r.W)
}

// park tests a PARK against the input and what the log said of the message before.
func (w *logWalk) park(r *retrylog.Record) {
	m, ok := w.parked(r)
	if !ok {
		return
	}
	key, stage := string(r.Key), w.hop.Stage
	live := w.fold.Live(r.Entry)
	if r.Held || r.Replayed {
		w.check.foundf(Misparked, m, at(r), "it is held or replayed, and nobody asked for that")
	}
	for attempt := 1; attempt <= r.Attempts; attempt++ {
		if !stage.Fails(m, attempt) {
			w.check.foundf(Misparked, m, at(r), "it is said to have failed %d times, and attempt %d succeeds", r.Attempts, attempt)
			break
		}
	}
	switch {
	case r.Prev < 0 && live != nil:
		w.check.foundf(Misparked, m, at(r), "it is parked already, since offset %d", live.Rank)
	case r.Prev < 0:
		w.enters(r, m, key)
	case live == nil && w.blind && !w.fold.Knows(r.Prev): // it was parked below the gap
	case live == nil || live.Record != r.Prev:
		w.check.foundf(Misparked, m, at(r), "it takes the place of offset %d, and that is not what is known of it", r.Prev)
		return
	case r.Attempts == live.Attempts && w.scan > r.Prev: // a copy
	case r.Attempts != live.Attempts+1:
		w.check.foundf(Misparked, m, at(r), "it has had %d attempts, and had %d before", r.Attempts, live.Attempts)
	case live.Run < 0:
		w.check.foundf(Misparked, m, at(r), "an attempt has failed, and none was started")
	}
	w.goOn(r, m, key)
}

// onTheWay is how long a PARK may have been on its way that was sent while its key was
// still parked: brokers go, and processes stand still.
const onTheWay = 30 * time.Second

// enters tests a PARK of what was not parked.
func (w *logWalk) enters(r *retrylog.Record, m flow.Message, key string) {
	w.check.parked.Parked++
	// After fewer a stop has parked it.
	if r.Attempts > w.hop.Stage.Attempts() {
		w.check.foundf(Misparked, m, at(r), "it was parked after %d attempts, and is to be after %d at most", r.Attempts, w.hop.Stage.Attempts())
	}
	if freed, was := w.freed[key]; r.Attempts == 0 && !w.blind && len(w.fold.Key(key)) == 0 && (!was || r.Time.After(freed.Add(onTheWay))) {
		w.check.foundf(Misparked, m, at(r), "it was parked untried, and nothing of its key is parked, or was just now")
	}
	for _, l := range w.fold.Key(key) {
		if l.Entry.Topic == r.Entry.Topic && l.Entry.Offset > r.Entry.Offset {
			w.check.foundf(Disordered, m, at(r), "it was parked behind offset %d of the input", l.Entry.Offset)
			break
		}
	}
}

// goOn keeps the stretch of what is parked.
func (w *logWalk) goOn(r *retrylog.Record, m flow.Message, key string) {
	s := w.current[r.Entry]
	if s == nil {
		s = &stretch{message: m, origin: Origin{w.hop.Inputs[0].Topic, r.Partition, r.Entry.Offset}, from: r.Time}
		w.current[r.Entry] = s
		w.stretches[key] = append(w.stretches[key], s)
	}
	s.runs = append(s.runs, step{r.Time, -1})
	if run := w.runOf(r.Entry); run >= 0 { // it has ended for those behind too
		for _, l := range w.fold.Key(key) {
			if other := w.current[l.Entry]; l.Run == run && l.Entry != r.Entry && other != nil {
				other.runs = append(other.runs, step{r.Time, -1})
			}
		}
	}
	if r.Attempts > 0 {
		s.waits = append(s.waits, wait{r.Time, r.NotBefore})
	}
}

func (w *logWalk) runOf(e retrylog.Entry) int64 {
	if l := w.fold.Live(e); l != nil {
		return l.Run
	}
	return -1
}

// parked is the message of a PARK, which must be what stands in the input.
func (w *logWalk) parked(r *retrylog.Record) (m flow.Message, ok bool) {
	i, ok := slices.BinarySearchFunc(w.inputs, r.Entry.Offset, func(in *Record, offset int64) int {
		return int(in.Offset - offset)
	})
	if !ok || r.Entry.Topic != w.hop.InputID {
		w.check.foundf(Misparked, flow.Message{Key: string(r.Key)}, at(r), "no input stands at %d of topic %x", r.Entry.Offset, r.Entry.Topic)
		return m, false
	}
	in := w.inputs[i]
	m, err := flow.Parse([]byte(in.Value))
	if err != nil {
		return m, false // a finding of the hop that made it
	}
	if string(r.Key) != in.Key || r.Value != in.Value || r.Headers != in.Headers {
		w.check.foundf(Misparked, m, at(r), "it is not, byte for byte, what stands in the input at %d", in.Offset)
	}
	return m, true
}
