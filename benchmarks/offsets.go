package main

import (
	"fmt"
	"sync"
	"time"
)

// offsets is what the contestants by hand need to commit only what is
// confirmed: which offsets of a partition are under way.
type offsets struct {
	advanced func(next int64) // told of each step forward; may be nil

	mu       sync.Mutex
	begun    bool
	low, end int64  // low is the first offset that is not done
	isDone   []bool // a ring, a power of two long
	quiet    *sync.Cond
}

func newOffsets(advanced func(next int64)) *offsets {
	o := &offsets{advanced: advanced, isDone: make([]bool, 1<<16)}
	o.quiet = sync.NewCond(&o.mu)
	return o
}

func (o *offsets) slot(offset int64) *bool { return &o.isDone[offset&int64(len(o.isDone)-1)] }

// begin says that an offset is under way. Offsets that it leaves out, such as
// those of control records, are done.
func (o *offsets) begin(offset int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.begun {
		o.begun, o.low, o.end = true, offset, offset
	}
	for ; o.end <= offset; o.end++ {
		if o.end-o.low == int64(len(o.isDone)) {
			o.grow()
		}
		*o.slot(o.end) = o.end < offset
	}
}

func (o *offsets) grow() {
	old := o.isDone
	o.isDone = make([]bool, 2*len(old))
	for i := o.low; i < o.end; i++ {
		*o.slot(i) = old[i&int64(len(old)-1)]
	}
}

// done says that all that came of an offset is confirmed.
func (o *offsets) done(offset int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*o.slot(offset) = true
	before := o.low
	for o.low < o.end && *o.slot(o.low) {
		o.low++
	}
	if o.low == before {
		return
	}
	if o.advanced != nil {
		o.advanced(o.low)
	}
	if o.low == o.end {
		o.quiet.Broadcast()
	}
}

// next is the offset to commit; ok is false before the first message.
func (o *offsets) next() (offset int64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.low, o.begun
}

// awaitDone waits until nothing is under way.
func (o *offsets) awaitDone(limit time.Duration) error {
	expired := false
	t := time.AfterFunc(limit, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		expired = true
		o.quiet.Broadcast()
	})
	defer t.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.low < o.end && !expired {
		o.quiet.Wait()
	}
	if o.low < o.end {
		return fmt.Errorf("%d outputs are not confirmed after %v", o.end-o.low, limit)
	}
	return nil
}
