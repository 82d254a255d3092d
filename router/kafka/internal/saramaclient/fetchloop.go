package saramaclient

import (
	"context"
	"time"
)

// idlePause is the wait before a broker is asked again that had nothing and was
// not asked to wait, or did not wait. Who needs more ends it.
const idlePause = 10 * time.Millisecond

// fetchLoop asks one broker for its feeds, in one request at a time. It runs
// while there are any.
type fetchLoop struct {
	f      *fetcher
	broker int32
	addr   string
	feeds  map[*feed]struct{} // guarded by the fetcher's lock
	woken  chan struct{}      // takes one

	link *link
}

func (l *fetchLoop) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *fetchLoop) run() {
	defer l.link.close()
	cut := context.AfterFunc(l.f.ctx, l.link.close) // ends a request that is under way
	defer cut()
	for {
		feeds, full, ended := l.due()
		switch {
		case ended:
			return
		case len(feeds) == 0:
			l.pause(nil)
			continue
		}
		// A claim that has enough may need more at any moment: the broker is not
		// asked to wait for others meanwhile, since a request that is under way
		// would hold up the one for it. The wait is here, where it can be ended.
		wait := l.f.conf.Consumer.MaxWaitTime
		if full {
			wait = 0
		}
		begun := time.Now()
		if !l.ask(feeds, wait) && (wait == 0 || time.Since(begun) < wait/2) {
			l.pause(time.After(idlePause))
		}
	}
}

func (l *fetchLoop) pause(timeout <-chan time.Time) {
	select {
	case <-l.woken:
	case <-timeout:
	case <-l.f.ctx.Done():
	}
}

// due returns the feeds that want more, and whether others do not. Without any
// feed the loop ends.
func (l *fetchLoop) due() (feeds []*feed, full, ended bool) {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	if len(l.feeds) == 0 || l.f.ctx.Err() != nil {
		if l.f.loops[l.broker] == l {
			delete(l.f.loops, l.broker)
		}
		clear(l.feeds)
		return nil, false, true
	}
	for d := range l.feeds {
		if d.wants() {
			feeds = append(feeds, d)
		} else {
			full = true
		}
	}
	return feeds, full, false
}

// answerBytes bounds an answer to a request for many partitions; who gets
// nothing has its turn with the next one.
const answerBytes = 16 << 20

// ask sends one request and hands out its answer. It reports whether there was
// anything for anybody.
func (l *fetchLoop) ask(feeds []*feed, wait time.Duration) (some bool) {
	req := &fetchRequest{wait: wait, size: answerBytes, rack: l.f.conf.RackID, wishes: make([]wish, 0, len(feeds))}
	for _, d := range feeds {
		req.wishes = append(req.wishes, wish{place: d.place(), offset: d.scan.next, size: d.scan.size, epoch: d.epoch})
	}
	got, err := l.link.fetch(req)
	for _, d := range feeds {
		if err != nil {
			d.replica.id = leaderItself
			l.f.detach(l, d, err)
			continue
		}
		from := d.scan.next
		stay, err := d.answered(got[d.place()], l.broker)
		some = some || d.scan.next > from
		if !stay {
			l.f.detach(l, d, err)
		}
	}
	return some
}
