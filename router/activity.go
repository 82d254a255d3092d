package router

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock/penstock/router/kafka"
)

// activity is what one worker is at, and since when: two stores an attempt. All
// but what look reads is the worker's own. The zero value is at nothing.
//
// Times are durations since clockZero: numbers, which no change of the system's
// clock moves.
type activity struct {
	record atomic.Pointer[kafka.Record]
	since  atomic.Int64 // nanoseconds; 0: at nothing

	begun time.Duration
	took  tally // of the attempts since they were added up last
}

var clockZero = time.Now()

func clock() time.Duration { return time.Since(clockZero) }

// begin says that an attempt of a record begins.
func (a *activity) begin(r *kafka.Record, now time.Duration) {
	a.begun = now
	a.record.Store(r)
	a.since.Store(int64(now))
}

// end says that the attempt has ended, and counts how long it took. What the
// worker does next is short, or begins another attempt, or it rests. After a rest
// there was none.
func (a *activity) end(now time.Duration) {
	if a.since.Load() != 0 {
		a.took.add(now - a.begun)
	}
}

// rest says that the worker waits, before an attempt or after one: that is not
// being stuck. It keeps no record alive then.
func (a *activity) rest() {
	a.since.Store(0)
	a.record.Store(nil)
}

// look tells which record is at work since when.
func (a *activity) look() (r *kafka.Record, since time.Time, ok bool) {
	began := a.since.Load()
	r = a.record.Load()
	if began == 0 || r == nil || a.since.Load() != began {
		return nil, time.Time{}, false // or has just gone on
	}
	return r, clockZero.Add(time.Duration(began)), true
}

// activities are those of a stage's workers, also of those whose claim has ended
// while a filter that does not return still has them.
type activities struct {
	mu  sync.Mutex
	all map[*activity]context.Context // of their claims
}

// add takes up the activity of a worker of a claim.
func (as *activities) add(a *activity, claim context.Context) { //nolint:revive // the context is what is kept, and of no call
	as.mu.Lock()
	defer as.mu.Unlock()
	if as.all == nil {
		as.all = map[*activity]context.Context{}
	}
	as.all[a] = claim //nolint:fatcontext // none is made of another
	as.sweep()
}

// sweep forgets those that nothing can come of. The caller holds the lock.
func (as *activities) sweep() {
	for a, claim := range as.all {
		if _, _, busy := a.look(); !busy && claim.Err() != nil {
			delete(as.all, a)
		}
	}
}

// Attempt is an attempt that is under way.
type Attempt struct {
	Topic     string
	Partition int32
	Offset    int64
	Since     time.Time
}

// longerThan lists the attempts that have been under way for longer than d.
func (as *activities) longerThan(d time.Duration) []Attempt {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.sweep()
	var stuck []Attempt
	for a := range as.all {
		if r, since, busy := a.look(); busy && time.Since(since) > d {
			stuck = append(stuck, Attempt{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Since: since})
		}
	}
	return stuck
}
