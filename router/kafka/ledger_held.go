package kafka

// What a ledger has to do where transactions are used.

// keep counts bytes of outputs that wait for the messages before theirs; a negative
// number gives them back. They do not count for awaitStored: who waits there may be
// at work on the message that they wait for.
func (l *ledger) keep(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept += bytes
	l.signal()
}

// closeTo closes the entries before one: they are committed.
func (l *ledger) closeTo(next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seq := l.head; seq < next; seq++ {
		e := l.at(seq)
		if e.waits == open {
			l.pending--
		}
		e.waits = closed
	}
	l.advance()
}

// offsetAt is the offset of an entry, of the one that the next record gets what is
// behind all that was read; of a negative one the watermark. ok is false while
// nothing was read.
func (l *ledger) offsetAt(seq int64) (offset int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < 0 {
		seq = l.head
	}
	switch {
	case l.next < 0:
		return 0, false
	case seq >= l.tail:
		return l.next, true
	default:
		return l.at(seq).offset, true
	}
}
