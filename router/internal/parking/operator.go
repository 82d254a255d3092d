package parking

// act is what an operator did first to a message, in a fold that began at a SCAN:
// the message may be a held one whose copy is still to come.
type act struct {
	replay Entry // what takes its place; of a DROP none, which is no entry of a log
}

var noReplay = Entry{Offset: -1}

// replay releases what is held of the message, and puts the replay in its place
// if it has the same key.
func (ix *Index) replay(e *Replay, offset int64) (effect bool) {
	of := e.Replayed.Of
	si, live := ix.lookup(e.Entry)
	if live && ix.isHeldBelow(si, offset) && ix.ownEntry(si) == of {
		live = false // the replay itself is released, and begins anew
	}
	key := e.Message.Key
	if live {
		key = ix.keyOf(si)
	}
	rank, effect := ix.release(of, key, offset)
	ix.remember(of, act{replay: e.Entry})
	switch {
	case live && rank >= 0:
		ix.setRank(si, rank)
	case live || ix.ended[e.Entry] > offset: // it was pending when this was asked for
	case rank >= 0:
		ix.enter(e.AsPark(offset), rank, offset)
		effect = true
	default:
		ix.enter(e.AsPark(offset), offset, offset)
		effect = true
	}
	return effect
}

func (ix *Index) drop(e *Drop, offset int64) bool {
	_, effect := ix.release(e.Of, nil, offset)
	ix.remember(e.Of, act{replay: noReplay})
	return effect
}

// release ends all that is held of a message by records below the offset, and
// tells the lowest rank of those that had the key; -1 for none.
func (ix *Index) release(of Entry, key []byte, offset int64) (rank int64, effect bool) {
	rank = -1
	for i := 0; i < len(ix.heldOf[of]); {
		si := ix.heldOf[of][i]
		if !ix.isHeldBelow(si, offset) {
			i++
			continue
		}
		if r := ix.slots.at(si).rank; key != nil && ix.hasKey(si, key) && (rank < 0 || r < rank) {
			rank = r
		}
		ix.end(si, offset) // takes it out of heldOf, too
		effect = true
	}
	return rank, effect
}

// isHeldBelow tells whether an operator's record at the offset could mean a held
// message: it came to be held before. One that the tail brings later than the
// PARK that holds, though it lies before that, could not.
func (ix *Index) isHeldBelow(si int32, offset int64) bool {
	at, ok := ix.heldAt[si]
	return ok && at < offset
}

func (ix *Index) remember(of Entry, a act) {
	if _, known := ix.acts[of]; ix.acting && !known {
		ix.acts[of] = a
	}
}

// giveRank moves a live message of the key to the place of another.
func (ix *Index) giveRank(e Entry, key []byte, rank int64) {
	if si, ok := ix.lookup(e); ok && key != nil && ix.hasKey(si, key) {
		ix.setRank(si, rank)
	}
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
