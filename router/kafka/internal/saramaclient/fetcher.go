package saramaclient

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/IBM/sarama"
)

const (
	// roomBelow is how many bytes may have been fetched ahead of a claim when
	// more is asked for. What comes then is fetchBytes, or one batch, however
	// large: as it is stored, and compressed it holds more.
	roomBelow = 1 << 20
	// maxAhead is how many bytes may have been fetched ahead of all claims when
	// more is asked for of one that nobody waits for.
	maxAhead = 64 << 20
)

// fetcher fetches ahead of the claims of a member, of each broker for all claims
// at once, on connections of its own: a broker answers what comes on one
// connection in turn, so what waits there for records would hold up a heartbeat.
type fetcher struct {
	leaders sarama.Client  // looks up who leads what
	conf    *sarama.Config // of the connections
	onError func(error)

	ctx     context.Context //nolint:containedctx // ends with the member
	cancel  context.CancelFunc
	running sync.WaitGroup // loops, and look-ups of whom to ask

	mu    sync.Mutex
	loops map[int32]*fetchLoop // by broker
	bytes int                  // fetched ahead
}

func newFetcher(leaders sarama.Client, conf *sarama.Config, onError func(error)) *fetcher {
	own := *conf
	own.Net.ReadTimeout = leaders.Config().Net.ReadTimeout // a member's own is as long as a JoinGroup takes
	f := &fetcher{leaders: leaders, conf: &own, onError: onError, loops: map[int32]*fetchLoop{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// close ends all, and returns when it has. The claims are over.
func (f *fetcher) close() {
	f.cancel()
	f.running.Wait()
}

// place looks up who is to be asked for a feed and has it asked, again until
// that succeeds. After a failed try it waits first.
func (f *fetcher) place(d *feed, failed int) {
	backoff := f.leaders.Config().Metadata.Retry.Backoff
	for ; d.ctx.Err() == nil; failed++ {
		if failed > 0 {
			if sleep(d.ctx, min(backoff<<min(failed-1, 8), longestPause)) != nil {
				return
			}
		}
		type answering struct {
			broker *sarama.Broker
			epoch  int32
		}
		again := failed > 0 // which is counted on while a call that was left behind may still ask
		to, err := Aside(d.ctx, func() (to answering, err error) {
			if again {
				_ = f.leaders.RefreshMetadata(d.scan.topic) // where that fails, so does what needs it
			}
			if d.replica.id != leaderItself {
				if to.broker, err = f.leaders.Broker(d.replica.id); err == nil {
					to.epoch = anyEpoch
					return to, nil
				}
				d.replica.id = leaderItself
			}
			to.broker, to.epoch, err = f.leaders.LeaderAndEpoch(d.scan.topic, d.scan.partition)
			return to, err
		})
		if err == nil {
			d.epoch = to.epoch
			f.attach(d, to.broker.ID(), to.broker.Addr())
			return
		}
		if d.ctx.Err() == nil {
			f.onError(fmt.Errorf("look up who leads %s/%d: %w", d.scan.topic, d.scan.partition, err))
		}
	}
}

// attach has a broker asked for a feed.
func (f *fetcher) attach(d *feed, broker int32, addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.ctx.Err() != nil {
		return
	}
	l := f.loops[broker]
	if l == nil || l.addr != addr {
		l = &fetchLoop{f: f, broker: broker, addr: addr, link: newLink(f.conf, addr), feeds: map[*feed]struct{}{}, woken: make(chan struct{}, 1)}
		f.loops[broker] = l
		f.running.Go(l.run)
	}
	l.feeds[d] = struct{}{}
	l.wake()
}

// detach takes a feed from a loop and has it placed anew.
func (f *fetcher) detach(l *fetchLoop, d *feed, err error) {
	f.mu.Lock()
	delete(l.feeds, d)
	ended := d.err != nil
	f.mu.Unlock()
	if ended || d.ctx.Err() != nil {
		return
	}
	failed := 0
	if err != nil {
		failed = 1
		if code := sarama.KError(0); !errors.As(err, &code) || !moves(err) {
			f.onError(fmt.Errorf("fetch %s/%d from offset %d: %w", d.scan.topic, d.scan.partition, d.scan.next, err))
		}
	}
	f.running.Go(func() { f.place(d, failed) })
}

// drop forgets a feed whose claim is over, and what was fetched ahead of it.
func (f *fetcher) drop(d *feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes -= d.bytes
	d.bytes, d.answers = 0, nil
	for _, l := range f.loops {
		delete(l.feeds, d)
	}
	f.wakeAll()
}

// wakeAll has the loops look again who is to be asked for. The caller holds the
// lock.
func (f *fetcher) wakeAll() {
	for _, l := range f.loops {
		l.wake()
	}
}
