package router

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// laneWorker works on a claim's messages side by side: those of one key in
// order in one lane, those of different keys in several. While the filter is
// fast the loop that reads the batch does it all, because then handing over
// costs more than it brings; when it is slow, or a message has to wait for its
// next attempt, or something is parked, the lanes take over. What is parked runs
// in the lanes too, so that it never runs beside a message of its key.
type laneWorker struct {
	stage  *stage
	claim  *kafka.Claim
	parker *parker
	lanes  []*lane
	seed   maphash.Seed
	pace   pace
	way    *way
	left   atomic.Int64 // messages in lanes that are not at their end, or whose outputs are not handed over

	inline *inlineWorker // the loop
	looped bool          // the last batch was worked on in the loop
	next   atomic.Uint32 // lane of the next message without a key

	mu       sync.Mutex
	looping  bool         // the loop is at work
	waiting  []*parkedRun // for the loop to end
	draining bool
	highest  kafka.Entry // the furthest message that was begun
	closed   chan struct{}
}

func newLaneWorker(s *stage, claim *kafka.Claim, p *parker) *laneWorker {
	w := &laneWorker{
		stage: s, claim: claim, parker: p, seed: maphash.MakeSeed(), inline: newInlineWorker(s, claim, p),
		looped: true, highest: -1, closed: make(chan struct{}), way: newWay(),
	}
	for range s.node.Lanes {
		l := newLane(w)
		w.lanes = append(w.lanes, l)
		go l.run()
	}
	go w.drain()
	return w
}

// drain closes the lanes when the claim begins to drain. They finish what is
// below the furthest message that was begun: were it abandoned, those above it
// that are done would be repeated. What is above is abandoned.
func (w *laneWorker) drain() {
	<-w.claim.Draining()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.draining = true
	close(w.closed)
}

// mayStart tells whether a message is still to be worked on.
func (w *laneWorker) mayStart(e kafka.Entry) bool {
	if !w.claim.MayFinish() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.draining {
		w.highest = max(w.highest, e)
	}
	return e <= w.highest
}

func (w *laneWorker) abandon(e kafka.Entry) {
	w.claim.Abandon(e)
	w.left.Add(-1)
}

// work implements worker. From lanes back to the loop it goes only when the
// lanes are empty and nothing is parked, so that no message overtakes one of its
// key.
func (w *laneWorker) work(b *kafka.Batch, in *input) error {
	var rest int
	var begun *laneItem
	if w.enterLoop() {
		var err error
		rest, begun, err = w.inline.loop(b, in, w.leavesLoop)
		w.looped = rest == len(b.Records)
		defer w.leaveLoop() // behind the scatter: what waits for it comes after what the loop has left
		if err != nil {
			return err
		}
	}
	if rest < len(b.Records) {
		w.looped = false
		w.scatter(b, rest, begun, in)
	}
	return nil
}

// enterLoop tells whether the loop may take a batch. Under one lock with what is
// asked for parked runs: either the run sees the loop and waits for its end, or
// the loop sees that something is parked.
func (w *laneWorker) enterLoop() bool {
	if w.left.Load() != 0 || !w.looped && !w.pace.fast() && len(w.lanes) > 1 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looping = !w.parker.busy()
	return w.looping
}

// leaveLoop lets the parked runs go on that have waited for the loop.
func (w *laneWorker) leaveLoop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looping = false
	for _, run := range w.waiting {
		w.addRun(run)
	}
	w.waiting = nil
}

// leavesLoop is told of each message that the loop has done.
func (w *laneWorker) leavesLoop(took time.Duration) bool {
	w.pace.add(took)
	return w.parker.busy() || w.pace.slow() && len(w.lanes) > 1
}

// start implements parkedRunner: the run goes into the lane of its key, now or
// when the loop has ended, which it does soon because something is parked.
func (w *laneWorker) start(run *parkedRun) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.draining:
		return false
	case w.looping:
		w.waiting = append(w.waiting, run)
	default:
		w.addRun(run)
	}
	return true
}

// addRun hands a run to its lane. The caller holds the lock.
func (w *laneWorker) addRun(run *parkedRun) {
	if w.draining { // the lanes look for no more
		run.end()
		return
	}
	w.left.Add(1)
	w.lanes[w.laneOf(run.key())].add([]laneItem{{run: run}})
}

// scatter hands the records from index from on to their lanes: one locked
// append a lane that gets any. The first one may have been begun.
func (w *laneWorker) scatter(b *kafka.Batch, from int, begun *laneItem, in *input) {
	ds := newDeliveries(len(b.Records))
	sorted := make([][]laneItem, len(w.lanes))
	for i := from; i < len(b.Records); i++ {
		item := laneItem{entry: b.Entry(i), record: &b.Records[i], ds: ds, index: i, in: in}
		if i == from && begun != nil {
			item = *begun
		}
		n := w.laneOf(b.Records[i].Key)
		sorted[n] = append(sorted[n], item)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.draining { // the lanes look for no more
		b.Abandon(from)
		return
	}
	w.left.Add(int64(len(b.Records) - from))
	for n, items := range sorted {
		if len(items) > 0 {
			w.lanes[n].add(items)
		}
	}
}

// laneOf is the lane of a key. Messages without one are dealt out in turn:
// they have no order and never wait for each other.
func (w *laneWorker) laneOf(key []byte) int {
	if key == nil {
		return int(w.next.Add(1) % uint32(len(w.lanes)))
	}
	return int(maphash.Bytes(w.seed, key) % uint64(len(w.lanes)))
}

// pace is a moving average of how long the filter takes for a message.
type pace struct{ average atomic.Int64 } // nanoseconds

// Between the two thresholds all stays as it is.
const (
	fastPace = 5 * time.Microsecond
	slowPace = 20 * time.Microsecond
)

// longestPace is the most that one message counts for. A single one can take
// long because the process had to wait for a processor; it takes three in a row
// for a fast filter to become a slow one.
const longestPace = 4 * slowPace

// add takes a message into account. A concurrent one may get lost: an average
// is all this is.
func (p *pace) add(took time.Duration) {
	took = min(took, longestPace)
	avg := p.average.Load()
	p.average.Store(avg + (int64(took)-avg)/8)
}

func (p *pace) fast() bool { return time.Duration(p.average.Load()) < fastPace }
func (p *pace) slow() bool { return time.Duration(p.average.Load()) > slowPace }
