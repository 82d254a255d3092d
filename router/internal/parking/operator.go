package parking

// replay releases what is held of the message, and puts the replay in its place
// if it has the same key.
func (ix *Index) replay(e *Replay, offset int64) (effect bool) {
	si, live := ix.lookup(e.Entry)
	if live && ix.slots.at(si).flags&isHeld != 0 && ix.ownEntry(si) == e.Replayed.Of {
		live = false // the replay itself is released, and begins anew
	}
	key := e.Message.Key
	if live {
		key = ix.keyOf(si)
	}
	rank, effect := ix.release(e.Replayed.Of, key)
	switch {
	case live && rank >= 0:
		ix.setRank(si, rank)
	case live: // it is pending
	case rank >= 0:
		ix.enter(e.AsPark(offset), rank, offset)
		effect = true
	default:
		ix.enter(e.AsPark(offset), offset, offset)
		effect = true
	}
	return effect
}

// release ends all that is held of a message, and tells the lowest rank of those
// that had the key; -1 for none.
func (ix *Index) release(of Entry, key []byte) (rank int64, effect bool) {
	rank = -1
	for len(ix.heldOf[of]) > 0 {
		si := ix.heldOf[of][0]
		if r := ix.slots.at(si).rank; key != nil && ix.hasKey(si, key) && (rank < 0 || r < rank) {
			rank = r
		}
		ix.end(si) // takes it out of heldOf, too
		effect = true
	}
	return rank, effect
}

func (ix *Index) setRank(si int32, rank int64) {
	s := ix.slots.at(si)
	ix.unlink(si)
	s.rank = rank
	ix.link(si, s.queue)
	ix.refresh(s.queue)
}

func (ix *Index) hasKey(si int32, key []byte) bool {
	q := ix.queues.at(ix.slots.at(si).queue)
	return q.keyed && q.key == string(key)
}

func (ix *Index) keyOf(si int32) []byte {
	q := ix.queues.at(ix.slots.at(si).queue)
	if !q.keyed {
		return nil
	}
	return []byte(q.key)
}
