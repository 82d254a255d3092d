package router

import (
	"sync"
	"time"
)

// latencyBounds are the upper bounds of the buckets that attempts are counted
// in; those that take longer are in one more.
var latencyBounds = [...]time.Duration{
	10 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second,
	10 * time.Second, time.Minute, 5 * time.Minute,
}

// tally counts durations for one goroutine: what is done for each attempt has
// to be cheap. Now and then it is added up with those of others.
type tally struct {
	counts [len(latencyBounds) + 1]int64
	n      int64
	sum    time.Duration
}

func (t *tally) add(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	t.counts[i]++
	t.n++
	t.sum += d
}

// latency adds tallies up.
type latency struct {
	mu    sync.Mutex
	total tally
}

// take adds a tally and empties it.
func (l *latency) take(t *tally) {
	if t.n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, n := range &t.counts {
		l.total.counts[i] += n
	}
	l.total.n += t.n
	l.total.sum += t.sum
	*t = tally{}
}

// Bucket is how many durations were at most Bound.
type Bucket struct {
	Bound time.Duration
	Count int64
}

// Latency is how long the attempts of a stage took, waits not included. It
// counts attempts a batch later than they end.
type Latency struct {
	Count   int64
	Sum     time.Duration
	Buckets []Bucket // cumulative, by their bounds
}

func (l *latency) read() Latency {
	l.mu.Lock()
	total := l.total
	l.mu.Unlock()
	read := Latency{Count: total.n, Sum: total.sum, Buckets: make([]Bucket, len(latencyBounds))}
	sofar := int64(0)
	for i, bound := range latencyBounds {
		sofar += total.counts[i]
		read.Buckets[i] = Bucket{Bound: bound, Count: sofar}
	}
	return read
}
