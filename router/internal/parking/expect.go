package parking

// Empty tells whether nothing is live, expected or running. It takes no lock.
func (ix *Index) Empty() bool { return ix.busy.Load() == 0 }

// IsParked tells whether a message of the key has to queue up: the key has a
// live message, or one is expected, or it runs. A message without a key (nil)
// never has to. While the index is empty it takes no lock.
//
// The answer holds for as long as nobody else parks messages of the key: its
// lane does, and the tail with a REPLAY. Who asks in the key's lane may go on
// with the message; a REPLAY that comes in between queues up behind it, because
// the lane is where it will run.
func (ix *Index) IsParked(key []byte) bool {
	if key == nil || ix.busy.Load() == 0 {
		return false
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	_, ok := ix.byKey[string(key)]
	return ok
}

// Expect says that a first PARK of the key, nil for none, is about to be sent.
// From now on the key counts as parked, so that nothing of it overtakes the PARK
// before that is confirmed. Applying the PARK (Prev -1) resolves it; several of
// a key may be under way. Call it before the send.
func (ix *Index) Expect(key []byte) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	defer ix.settle()
	ix.expected++
	if key == nil {
		ix.keyless++
		return
	}
	ix.queues.at(ix.queueOf(key)).expected++
}

// Unexpect takes one Expect of the key back: its PARK was not sent.
func (ix *Index) Unexpect(key []byte) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	defer ix.settle()
	ix.resolve(key)
}

// resolve is one expected PARK less, if one is expected: a fold expects none.
func (ix *Index) resolve(key []byte) {
	if key == nil {
		if ix.keyless > 0 {
			ix.keyless--
			ix.expected--
		}
		return
	}
	qi, ok := ix.byKey[string(key)]
	if !ok {
		return
	}
	if q := ix.queues.at(qi); q.expected > 0 {
		q.expected--
		ix.expected--
		ix.refresh(qi)
	}
}

// Room is how many more messages may be parked while at most limit are to be
// live: what is expected counts. Operators' replays may exceed the limit.
func (ix *Index) Room(limit int) int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return max(0, limit-ix.live-ix.expected)
}
