package saramaclient

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// feed is what is fetched ahead of one claim.
type feed struct {
	f    *fetcher
	scan scan // where the next fetch goes on; of the one loop that has the feed

	ctx   context.Context //nolint:containedctx // ends with the claim
	close context.CancelFunc

	epoch   int32 // of the leader that is asked
	replica replica

	high  *atomic.Int64 // told the high watermark
	ready chan struct{} // takes one: there are records, or an error

	// Guarded by the fetcher's lock.
	answers [][]client.Record // what was fetched and not taken, an answer each
	bytes   int               // of answers
	waited  bool              // somebody waits for a record
	end     int64             // all below it is in answers, was taken, or is none that anybody is to see
	err     error             // why no more come
}

// replica is the one that the leader wants to be asked instead of itself.
type replica struct {
	id    int32
	until time.Time // then the leader is asked again
}

// leaderItself means that no other replica is preferred.
const leaderItself = -1

// feed begins to fetch a partition at an offset, and tells high its high
// watermark.
func (f *fetcher) feed(topic string, partition int32, at int64, high *atomic.Int64) *feed {
	d := &feed{
		f: f, high: high, ready: make(chan struct{}, 1), replica: replica{id: leaderItself},
		scan: scan{topic: topic, partition: partition, next: at, end: math.MaxInt64, size: fetchBytes}, end: at,
	}
	d.ctx, d.close = context.WithCancel(f.ctx)
	context.AfterFunc(d.ctx, func() { f.drop(d) })
	f.running.Go(func() { f.place(d, 0) })
	return d
}

func (d *feed) place() place { return place{d.scan.topic, d.scan.partition} }

// next takes up to limit records and about maxBytes, at least one, of what is
// there. Without any it says that somebody waits.
func (d *feed) next(limit, maxBytes int) ([]client.Record, error) {
	d.f.mu.Lock()
	defer d.f.mu.Unlock()
	d.waited = len(d.answers) == 0
	if d.waited {
		d.f.wakeAll()
		return nil, d.err
	}
	var taken []client.Record
	for full := false; !full && len(d.answers) > 0; {
		answer, n := d.answers[0], 0
		for ; n < len(answer) && len(taken)+n < limit && maxBytes > 0; n++ {
			maxBytes -= answer[n].Size()
			d.bytes -= answer[n].Size()
			d.f.bytes -= answer[n].Size()
		}
		if taken == nil {
			taken = answer[:n:n] // without a copy
		} else {
			taken = append(taken, answer[:n]...)
		}
		if full = n < len(answer); full {
			d.answers[0] = answer[n:]
		} else {
			d.answers[0] = nil
			d.answers = d.answers[1:]
		}
	}
	if d.bytes < roomBelow {
		d.f.wakeAll()
	}
	return taken, nil
}

// passed is the offset below which there is nothing that was not taken; ok is false
// where there is something to take.
func (d *feed) passed() (offset int64, ok bool) {
	d.f.mu.Lock()
	defer d.f.mu.Unlock()
	return d.end, len(d.answers) == 0
}

// pass says that what was put is all there is below an offset: behind the last record
// there may be markers of transactions. The caller is the loop that has the feed.
func (d *feed) pass(offset int64) {
	d.f.mu.Lock()
	moved := offset > d.end
	d.end = offset
	d.f.mu.Unlock()
	if moved {
		d.signal()
	}
}

// put adds an answer. The caller is the loop that has the feed.
func (d *feed) put(records []client.Record) {
	if len(records) == 0 {
		return
	}
	bytes := 0
	for i := range records {
		bytes += records[i].Size()
	}
	d.f.mu.Lock()
	if d.ctx.Err() == nil {
		d.answers = append(d.answers, records)
		d.bytes += bytes
		d.f.bytes += bytes
		d.waited = false
	}
	d.f.mu.Unlock()
	d.signal()
}

// fail ends the feed behind what it has.
func (d *feed) fail(err error) {
	d.f.mu.Lock()
	d.err = err
	d.f.mu.Unlock()
	d.signal()
}

func (d *feed) signal() {
	select {
	case d.ready <- struct{}{}:
	default:
	}
}

// wants tells whether more is to be fetched. The caller holds the fetcher's lock.
func (d *feed) wants() bool {
	return d.waited || d.bytes < roomBelow && d.f.bytes < maxAhead
}

// answered takes a broker's answer. It reports whether the broker is to be asked
// on: otherwise the partition is somewhere else.
func (d *feed) answered(k *block, broker int32) (stay bool, err error) {
	s := &d.scan
	switch {
	case k == nil:
		return false, errLacksPartition
	case errors.Is(k.err, sarama.ErrOffsetOutOfRange) && d.replica.id == broker:
		d.replica.id = leaderItself // it may only lag behind
		return false, nil
	case errors.Is(k.err, sarama.ErrOffsetOutOfRange):
		d.fail(&client.LostRangeError{Topic: s.topic, Partition: s.partition})
		return false, nil
	case k.err != sarama.ErrNoError:
		d.replica.id = leaderItself
		return false, k.err
	}
	d.high.Store(k.high)
	from := s.next
	found, cut, err := s.read(k)
	if err != nil {
		return false, err
	}
	if s.next == from && cut { // an old broker cut the first batch off
		s.size = doubled(s.size)
	} else {
		s.size = fetchBytes
	}
	d.put(found)
	d.pass(s.next)
	if id := k.preferred; id >= 0 && id != broker {
		d.replica = replica{id: id, until: time.Now().Add(d.f.leaders.Config().Metadata.RefreshFrequency)}
		return false, nil
	}
	if d.replica.id == broker && time.Now().After(d.replica.until) {
		d.replica.id = leaderItself
		return false, nil
	}
	return true, nil
}
