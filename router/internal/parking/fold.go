package parking

import (
	"math"
	"slices"
)

// resume drops what the input brings again.
func (ix *Index) resume(e *Resume) (effect bool) {
	n, ok := ix.topics.numbers[e.Topic]
	if !ok {
		return false
	}
	for id, si := range ix.byEntry {
		if _, replay := ix.replays[si]; !replay && id.topic == n && id.offset >= e.Start {
			ix.end(si)
			effect = true
		}
	}
	return effect
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
	case live && ix.slots.at(si).record == p.Prev:
		ix.update(si, p, offset)
	case !live && p.Prev < ix.first: // what it takes the place of lies before the fold's beginning
		ix.enter(p, p.Rank, offset)
	default:
		return false // an operator has ended what it takes the place of, or has begun it anew
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
	qi := ix.queueOf(p.Message.Key)
	ix.link(si, qi)
	ix.update(si, p, offset)
}

// update brings a live message to what its newest record says. Its rank stays.
func (ix *Index) update(si int32, p *Park, offset int64) {
	s := ix.slots.at(si)
	if s.record < ix.clean.scan && offset >= ix.clean.scan {
		ix.clean.below--
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
		ix.hold(si)
	case !p.Held && held:
		ix.unhold(si)
	}
	ix.cache.put(si, p)
	ix.refresh(s.queue)
}

func (ix *Index) hold(si int32) {
	ix.slots.at(si).flags |= isHeld
	own := ix.ownEntry(si)
	ix.heldOf[own] = append(ix.heldOf[own], si)
	ix.held++
}

func (ix *Index) unhold(si int32) {
	ix.slots.at(si).flags &^= isHeld
	own := ix.ownEntry(si)
	if rest := slices.DeleteFunc(ix.heldOf[own], func(s int32) bool { return s == si }); len(rest) > 0 {
		ix.heldOf[own] = rest
	} else {
		delete(ix.heldOf, own)
	}
	ix.held--
}

// end takes a message out.
func (ix *Index) end(si int32) {
	s := ix.slots.at(si)
	if s.flags&isHeld != 0 {
		ix.unhold(si)
	}
	delete(ix.replays, si)
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

func (ix *Index) done(e *Done) (effect bool) {
	for _, entry := range e.Entries {
		if si, ok := ix.lookup(entry); ok {
			ix.end(si)
			effect = true
		}
	}
	return effect
}
