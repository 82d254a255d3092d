package parking_test

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
)

// logged is a record as it lies in a log.
type logged struct {
	offset int64
	event  parking.Event
}

// parked is a live message of the naive fold.
type parked struct {
	park   parking.Park // as its newest record says
	rank   int64
	record int64
	starts int
}

// naiveFold is the fold by the letter, over a whole log from its very beginning:
// plain slices, looked through from end to end.
type naiveFold struct {
	epoch int64
	live  []*parked
}

func foldNaively(log []logged) *naiveFold {
	f := &naiveFold{epoch: -1}
	for _, r := range log {
		f.apply(r)
	}
	return f
}

func (f *naiveFold) find(e parking.Entry) *parked {
	for _, p := range f.live {
		if p.park.Entry == e {
			return p
		}
	}
	return nil
}

func (f *naiveFold) remove(gone func(*parked) bool) { f.live = slices.DeleteFunc(f.live, gone) }

func (f *naiveFold) apply(r logged) {
	switch e := r.event.(type) {
	case *parking.Take:
		f.epoch = r.offset
	case *parking.Resume:
		f.remove(func(p *parked) bool {
			return e.Epoch == f.epoch && p.park.Replay == nil && p.park.Entry.Topic == e.Topic && p.park.Entry.Offset >= e.Start
		})
	case *parking.Park:
		if e.Epoch == f.epoch {
			f.applyPark(e, r.offset)
		}
	case *parking.Start:
		for _, entry := range e.Entries {
			if p := f.find(entry); p != nil && e.Epoch == f.epoch {
				p.starts++
			}
		}
	case *parking.Done:
		if e.Epoch == f.epoch {
			f.remove(func(p *parked) bool { return slices.Contains(e.Entries, p.park.Entry) })
		}
	case *parking.Replay:
		rank := f.release(e.Replayed.Of, e.Message.Key, e.Entry)
		if p := f.find(e.Entry); p != nil {
			if rank >= 0 {
				p.rank = rank
			}
			return
		}
		if rank < 0 {
			rank = r.offset
		}
		f.live = append(f.live, &parked{park: *e.AsPark(r.offset), rank: rank, record: r.offset})
	case *parking.Drop:
		f.release(e.Of, nil, parking.Entry{Offset: -1})
	}
}

func (f *naiveFold) applyPark(e *parking.Park, offset int64) {
	p := f.find(e.Entry)
	switch {
	case p == nil && e.Prev < 0:
		p = &parked{rank: offset}
		f.live = append(f.live, p)
	case p == nil || e.Prev >= 0 && e.Prev != p.record:
		return
	}
	p.park, p.record, p.starts = *e, offset, e.Starts
}

// release removes what is held of a message, and tells the rank of the one that
// has the key, which is that of the replay if it is live and not held.
func (f *naiveFold) release(of parking.Entry, key []byte, replay parking.Entry) int64 {
	if p := f.find(replay); p != nil && (!p.park.Held || p.park.Of() != of) {
		key = p.park.Message.Key
	}
	rank := int64(-1)
	f.remove(func(p *parked) bool {
		if p.park.Of() != of || !p.park.Held {
			return false
		}
		if key != nil && p.park.Message.Key != nil && bytes.Equal(key, p.park.Message.Key) && (rank < 0 || p.rank < rank) {
			rank = p.rank
		}
		return true
	})
	return rank
}

func (f *naiveFold) snapshot() parking.State {
	st := parking.State{Epoch: f.epoch}
	for _, p := range f.live {
		since := p.park.Since
		switch {
		case !since.IsZero():
		case p.park.Replay != nil:
			since = p.park.Replay.At
		default:
			since = p.park.SourceTime
		}
		st.Live = append(st.Live, parking.Live{
			Item: parking.Item{
				Entry: p.park.Entry, Of: p.park.Of(), Rank: p.rank, Offset: p.record,
				Attempts: p.park.Attempts, Starts: p.starts, Held: p.park.Held,
			},
			Key: string(p.park.Message.Key), HasKey: p.park.Message.Key != nil,
			NotBefore: p.park.NotBefore, Since: since,
		})
	}
	slices.SortFunc(st.Live, func(a, b parking.Live) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Offset, b.Offset))
	})
	return st
}

// at is a time of the tests, in seconds.
func at(seconds int64) time.Time { return time.Unix(1_000_000+seconds, 0).UTC() }
