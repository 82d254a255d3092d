package saramaclient

import (
	"context"
	"errors"
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
	r      *Reader
	broker *sarama.Broker
	asks   map[*ask]struct{} // guarded by the reader's lock
	more   chan struct{}     // capacity 1: there is another ask
}

// ask is a tail that waits for its next records.
type ask struct {
	topic     string
	partition int32
	offset    int64
	answered  chan answer // takes one
}

type answer struct {
	block *sarama.FetchResponseBlock
	err   error
}

// fetch waits until the broker has something for a, or says that it cannot.
func (r *Reader) fetch(ctx context.Context, broker *sarama.Broker, a *ask) (*sarama.FetchResponseBlock, error) {
	a.answered = make(chan answer, 1)
	r.mu.Lock()
	p := r.polls[broker]
	if p == nil {
		p = &poll{r: r, broker: broker, asks: map[*ask]struct{}{}, more: make(chan struct{}, 1)}
		r.polls[broker] = p
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
		res, err := p.broker.Fetch(request(asks))
		if err != nil {
			_ = p.broker.Close() // it is dialled again with the next use
		}
		answered := false
		for _, a := range asks {
			if err != nil {
				p.answer(a, answer{err: err})
				continue
			}
			block := res.GetBlock(a.topic, a.partition)
			if block == nil {
				p.answer(a, answer{err: errors.New("the broker's answer lacks the partition")})
			} else if block.Err != sarama.ErrNoError || len(block.RecordsSet) > 0 {
				p.answer(a, answer{block: block})
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
		delete(p.r.polls, p.broker)
		return nil
	}
	type place struct {
		topic     string
		partition int32
	}
	taken := make(map[place]bool, len(p.asks))
	asks := make([]*ask, 0, len(p.asks))
	for a := range p.asks {
		at := place{a.topic, a.partition}
		if !taken[at] {
			taken[at] = true
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

func request(asks []*ask) *sarama.FetchRequest {
	req := &sarama.FetchRequest{
		Version: fetchVersion, MinBytes: 1, MaxBytes: math.MaxInt32, MaxWaitTime: int32(pollWait.Milliseconds()),
		Isolation: sarama.ReadCommitted, SessionEpoch: -1, // no session
	}
	size := min(max(pollBytes/len(asks), minTailBytes), maxTailBytes)
	for _, a := range asks {
		req.AddBlock(a.topic, a.partition, a.offset, int32(size), -1)
	}
	return req
}

// fetchVersion is the newest one that names topics, not their ids, and asks
// nothing that a tail has not.
const fetchVersion = 11
