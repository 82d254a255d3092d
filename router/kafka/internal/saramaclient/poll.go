package saramaclient

import (
	"context"
	"math"
	"time"

	"github.com/IBM/sarama"
)

const (
	// pollWait is how long a broker may wait for records to come. A tail that
	// is asked for more meanwhile waits as long at the most.
	pollWait = 250 * time.Millisecond
	// pollBytes is about what the tails of an answer share; the other two are what
	// each has at the least and at the most. The broker sends at least one
	// batch, however large.
	pollBytes    = 16 << 20
	minTailBytes = 64 << 10
	maxTailBytes = 1 << 20
	// askAgain is how long the next request waits for the tails that have just been
	// answered: most ask for more at once, and would miss it by a moment. They would
	// wait for all of pollWait then.
	askAgain = 5 * time.Millisecond
)

// poll asks one broker for all tails that wait for records of its, in one
// request at a time. It runs while there are any.
type poll struct {
	r    *Reader
	addr string            // of the broker
	asks map[*ask]struct{} // guarded by the reader's lock
	more chan struct{}     // capacity 1: there is another ask
}

// ask is a tail that waits for its next records.
type ask struct {
	place
	offset   int64
	answered chan answer // takes one
}

type answer struct {
	block *block
	err   error
}

// fetch waits until the broker at addr has something for a, or says that it cannot.
func (r *Reader) fetch(ctx context.Context, addr string, a *ask) (*block, error) {
	a.answered = make(chan answer, 1)
	r.mu.Lock()
	p := r.polls[addr]
	if p == nil {
		p = &poll{r: r, addr: addr, asks: map[*ask]struct{}{}, more: make(chan struct{}, 1)}
		r.polls[addr] = p
		go p.run()
	}
	p.asks[a] = struct{}{}
	r.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
	select {
	case got := <-a.answered:
		return got.block, got.err
	case <-ctx.Done():
		r.mu.Lock()
		delete(p.asks, a)
		r.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

func (p *poll) run() {
	for {
		asks := p.next()
		if len(asks) == 0 {
			return
		}
		got, err := p.r.wait.to(p.addr).fetch(request(asks))
		answered := false
		for _, a := range asks {
			if err != nil {
				p.answer(a, answer{err: err})
				continue
			}
			k := got[a.place]
			if k == nil {
				p.answer(a, answer{err: errLacksPartition})
			} else if k.err != sarama.ErrNoError || len(k.batches) > 0 {
				p.answer(a, answer{block: k})
				answered = true
			} // else it waits on
		}
		if answered {
			p.awaitAsks(len(asks))
		}
	}
}

// awaitAsks waits a little for n asks.
func (p *poll) awaitAsks(n int) {
	t := time.NewTimer(askAgain)
	defer t.Stop()
	for {
		p.r.mu.Lock()
		enough := len(p.asks) >= n
		p.r.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-p.more:
		case <-t.C:
			return
		}
	}
}

// next returns who waits, one of each partition, or ends the poll.
func (p *poll) next() []*ask {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if len(p.asks) == 0 {
		delete(p.r.polls, p.addr)
		return nil
	}
	taken := make(map[place]bool, len(p.asks))
	asks := make([]*ask, 0, len(p.asks))
	for a := range p.asks {
		if !taken[a.place] {
			taken[a.place] = true
			asks = append(asks, a)
		}
	}
	return asks
}

func (p *poll) answer(a *ask, got answer) {
	p.r.mu.Lock()
	delete(p.asks, a)
	p.r.mu.Unlock()
	a.answered <- got
}

func request(asks []*ask) *fetchRequest {
	req := &fetchRequest{wait: pollWait, size: math.MaxInt32, wishes: make([]wish, 0, len(asks))}
	size := min(max(pollBytes/len(asks), minTailBytes), maxTailBytes)
	for _, a := range asks {
		req.wishes = append(req.wishes, wish{place: a.place, offset: a.offset, size: int32(size), epoch: anyEpoch})
	}
	return req
}
