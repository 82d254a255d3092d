package router

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/penstock/penstock/router/kafka"
)

// noEntry is above that of every message.
const noEntry = kafka.Entry(math.MaxInt64)

// errMakesWay is the cause of the context of a filter's call that keeps too much
// waiting.
var errMakesWay = errors.New("the message keeps the outputs of too many behind it waiting: it is parked, and this attempt does not count")

// laneCall is the call that a lane is at, for others to end it. All calls have one
// context, which is made anew where one was ended: one of its own for each would cost
// more than the rest of the lane does. Where the stage is at least once nobody ends
// a call.
type laneCall struct {
	claim   *kafka.Claim
	exactly bool

	mu     sync.Mutex
	ctx    context.Context //nolint:containedctx // of many calls
	cancel context.CancelCauseFunc
	lowest kafka.Entry // of the messages in the lane
	n      int64       // counts the calls
	under  bool        // one is under way
}

// begin returns the context of the next call.
func (c *laneCall) begin(lowest kafka.Entry) context.Context {
	if !c.exactly {
		return c.claim.Context()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancelCause(c.claim.Context())
	}
	c.lowest, c.under = lowest, true
	c.n++
	return c.ctx
}

// end says that the call has returned.
func (c *laneCall) end() {
	if !c.exactly {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.under = false
	if c.ctx.Err() != nil {
		c.ctx = nil
	}
}

// now tells which call is under way, and the lowest message in the lane while it is.
func (c *laneCall) now() (n int64, lowest kafka.Entry, under bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.lowest, c.under
}

// interrupt ends call n, if that is still under way.
func (c *laneCall) interrupt(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under && c.n == n {
		c.cancel(errMakesWay)
	}
}

// lanePlace is what a lane knows of where its messages are. It is the lane's own.
type lanePlace struct {
	rest   []laneItem  // of what it took off its queue
	unsent kafka.Entry // the first one that is settled and not flushed
	waits  kafka.Entry // the first one that is held
	stale  bool        // waits is
}

// lowest is the lowest message of the lane when it begins a call: of item, or of what
// is parked. What is in its queue comes behind.
func (l *lane) lowest(item *laneItem) kafka.Entry {
	if !l.call.exactly {
		return noEntry
	}
	low := min(l.unsent, l.firstHeld())
	if item != nil {
		return min(low, item.entry)
	}
	return min(low, firstOf(l.rest))
}

// firstOf is the first message of items.
func firstOf(items []laneItem) kafka.Entry {
	for i := range items {
		if items[i].run == nil {
			return items[i].entry
		}
	}
	return noEntry
}

func (l *lane) firstHeld() kafka.Entry {
	if l.stale {
		l.waits, l.stale = noEntry, false
		for _, h := range l.due.byTime {
			l.waits = min(l.waits, h.items[0].entry)
		}
	}
	return l.waits
}
