package parking

import (
	"bytes"
	"math"
	"slices"
)

// take begins an epoch: what the input brings again is dropped.
func (ix *Index) take(e *Take, offset int64) {
	ix.epoch, ix.acting = offset, false
	clear(ix.acts)
	n, ok := ix.topics.numbers[e.Topic]
	if !ok {
		return
	}
	for id, si := range ix.byEntry {
		if _, replay := ix.replays[si]; !replay && id.topic == n && id.offset >= e.Start {
			ix.end(si, offset)
		}
	}
}

// park enters a message, or brings up to date what is known of it.
func (ix *Index) park(p *Park, offset int64) bool {
	si, live := ix.lookup(p.Entry)
	switch {
	case p.Prev < 0:
		if live {
			ix.update(si, p, offset)
		} else {
			ix.enter(p, offset, offset)
		}
		ix.resolve(p.Message.Key)
		return true
	case live && ix.slots.at(si).record == p.Prev:
		ix.update(si, p, offset)
		return true
	case p.Prev >= ix.first:
		return false // an operator has ended what it is a copy of, or has begun it anew
	}
	// A copy of what lies before the fold's beginning.
	if a, ok := ix.acts[p.Of()]; ok && p.Held && p.WasHeld {
		ix.giveRank(a.replay, p.Message.Key, p.Rank)
		return false
	}
	// Live already: the same replay was asked for again between SCAN and this,
	// and perhaps with another key.
	if live && !bytes.Equal(ix.keyOf(si), p.Message.Key) {
		ix.end(si, offset)
		live = false
	}
	if !live {
		ix.enter(p, p.Rank, offset)
		return true
	}
	ix.update(si, p, offset)
	if p.Rank < ix.slots.at(si).rank {
		ix.setRank(si, p.Rank)
	}
	return true
}

// enter makes a message live.
func (ix *Index) enter(p *Park, rank, offset int64) {
	id := ident{offset: p.Entry.Offset, topic: ix.topics.number(p.Entry.Topic)}
	si := ix.slots.add(slot{offset: id.offset, topic: id.topic, rank: rank, record: offset, flags: isLive})
	ix.byEntry[id] = si
	if p.Replay != nil {
		ix.replays[si] = p.Replay.Of
	}
	ix.live++
	if offset < ix.clean.scan {
		ix.clean.below++ // not met: all below the SCAN was heard of. Else it never ends, and nothing is lost
	}
	qi := ix.queueOf(p.Message.Key)
	ix.link(si, qi)
	ix.update(si, p, offset)
}

// update brings a live message to what its newest record says. Its rank stays.
func (ix *Index) update(si int32, p *Park, offset int64) {
	s := ix.slots.at(si)
	if s.record < ix.clean.scan && offset >= ix.clean.scan {
		ix.clean.below--
		ix.clean.last = max(ix.clean.last, offset)
	}
	s.record = offset
	s.attempts, s.starts = uint32(p.Attempts), uint16(min(p.Starts, math.MaxUint16))
	s.notBefore, s.since = nanos(p.NotBefore), nanos(p.Since)
	switch {
	case s.since != 0:
	case p.Replay != nil:
		s.since = nanos(p.Replay.At)
	default:
		s.since = nanos(p.SourceTime)
	}
	s.flags &^= isCopied
	switch held := s.flags&isHeld != 0; {
	case p.Held && !held:
		ix.hold(si, offset)
	case !p.Held && held:
		ix.unhold(si)
	}
	ix.cache.put(si, p)
	ix.refresh(s.queue)
}

func (ix *Index) hold(si int32, at int64) {
	ix.slots.at(si).flags |= isHeld
	own := ix.ownEntry(si)
	ix.heldAt[si], ix.heldOf[own] = at, append(ix.heldOf[own], si)
	ix.held++
}

func (ix *Index) unhold(si int32) {
	ix.slots.at(si).flags &^= isHeld
	own := ix.ownEntry(si)
	delete(ix.heldAt, si)
	if rest := slices.DeleteFunc(ix.heldOf[own], func(s int32) bool { return s == si }); len(rest) > 0 {
		ix.heldOf[own] = rest
	} else {
		delete(ix.heldOf, own)
	}
	ix.held--
}

// end takes a message out, by a record at the offset.
func (ix *Index) end(si int32, offset int64) {
	s := ix.slots.at(si)
	if s.flags&isHeld != 0 {
		ix.unhold(si)
	}
	if _, replay := ix.replays[si]; replay {
		if offset >= ix.read {
			ix.ended[ix.entryOf(s)] = offset
		}
		delete(ix.replays, si)
	}
	if s.record < ix.clean.scan {
		ix.clean.below--
	}
	ix.unlink(si)
	ix.cache.remove(si)
	delete(ix.byEntry, ident{offset: s.offset, topic: s.topic})
	qi := s.queue
	ix.slots.remove(si)
	ix.live--
	ix.refresh(qi)
}

func (ix *Index) start(e *Start) (effect bool) {
	for _, entry := range e.Entries {
		if si, ok := ix.lookup(entry); ok {
			if s := ix.slots.at(si); s.starts < math.MaxUint16 {
				s.starts++
			}
			effect = true
		}
	}
	return effect
}

func (ix *Index) done(e *Done, offset int64) (effect bool) {
	for _, entry := range e.Entries {
		if si, ok := ix.lookup(entry); ok {
			ix.end(si, offset)
			effect = true
		}
	}
	return effect
}
