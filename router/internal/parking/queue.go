package parking

// slot is a live message: 64 bytes.
type slot struct {
	offset    int64 // of its entry
	rank      int64
	record    int64 // offset of its record
	notBefore int64 // Unix nanoseconds; 0: at once
	since     int64 // Unix nanoseconds, as Stats.Oldest says
	topic     uint32
	attempts  uint32
	queue     int32
	next      int32 // in the queue
	prev      int32
	starts    uint16
	flags     flags
}

type flags uint8

const (
	isLive    flags = 1 << iota
	isHeld          // waits for an operator
	isCopied        // its copy is under way
	isRunning       // in the Items of a Run
)

// queue has the live messages of a key, or one without a key. It exists while it
// has any, or one is expected, or it runs.
type queue struct {
	key      string
	head     int32
	tail     int32
	finger   int32 // where the last one was put that was not the last; none
	due      int32 // its place in the heap; none
	oldest   int32
	expected int32
	keyed    bool
	running  bool
}

// ident is an entry with the number of its topic's id.
type ident struct {
	offset int64
	topic  uint32
}

// topicTable gives topic ids numbers. There are few: the input's, the poison
// topic's, and those of their namesakes that were deleted.
type topicTable struct {
	ids     [][16]byte
	numbers map[[16]byte]uint32
}

func (t *topicTable) number(id [16]byte) uint32 {
	if n, ok := t.numbers[id]; ok {
		return n
	}
	if t.numbers == nil {
		t.numbers = map[[16]byte]uint32{}
	}
	n := uint32(len(t.ids))
	t.ids = append(t.ids, id)
	t.numbers[id] = n
	return n
}

func (ix *Index) entryOf(s *slot) Entry {
	return Entry{Topic: ix.topics.ids[s.topic], Offset: s.offset}
}

// ownEntry is the message's own entry, also of a replay.
func (ix *Index) ownEntry(si int32) Entry {
	if of, ok := ix.replays[si]; ok {
		return of
	}
	return ix.entryOf(ix.slots.at(si))
}

func (ix *Index) lookup(e Entry) (int32, bool) {
	n, ok := ix.topics.numbers[e.Topic]
	if !ok {
		return none, false
	}
	si, ok := ix.byEntry[ident{offset: e.Offset, topic: n}]
	return si, ok
}

// queueOf is the key's queue, which is made if there is none. A nil key always
// gets a new one.
func (ix *Index) queueOf(key []byte) int32 {
	if key != nil {
		if qi, ok := ix.byKey[string(key)]; ok {
			return qi
		}
	}
	qi := ix.queues.add(queue{key: string(key), keyed: key != nil, head: none, tail: none, finger: none, due: none, oldest: none})
	if key != nil {
		ix.byKey[ix.queues.at(qi).key] = qi
	}
	return qi
}

// link puts a slot where its rank belongs. Ranks come in ascending order, but in
// two cases: a REPLAY that takes the place of what is held, and in a fold from a
// SCAN the copies, which ascend among themselves. The finger is where the last of those was put, so
// that the next one's place is near.
func (ix *Index) link(si, qi int32) {
	q, s := ix.queues.at(qi), ix.slots.at(si)
	s.queue = qi
	after := q.tail
	if after != none && ix.slots.at(after).rank > s.rank {
		if q.finger != none {
			after = q.finger
		}
		for after != none && ix.slots.at(after).rank > s.rank {
			after = ix.slots.at(after).prev
		}
		for after != none && ix.slots.at(ix.slots.at(after).next).rank <= s.rank {
			after = ix.slots.at(after).next
		}
		q.finger = si
	}
	s.prev, s.next = after, q.head
	if after != none {
		s.next, ix.slots.at(after).next = ix.slots.at(after).next, si
	} else {
		q.head = si
	}
	if s.next != none {
		ix.slots.at(s.next).prev = si
	} else {
		q.tail = si
	}
}

// unlink takes a slot out of its queue.
func (ix *Index) unlink(si int32) {
	s := ix.slots.at(si)
	q := ix.queues.at(s.queue)
	if s.prev != none {
		ix.slots.at(s.prev).next = s.next
	} else {
		q.head = s.next
	}
	if s.next != none {
		ix.slots.at(s.next).prev = s.prev
	} else {
		q.tail = s.prev
	}
	if q.finger == si {
		q.finger = s.prev
	}
}

// refresh brings a queue's places in the heaps up to date, after whatever has
// changed, and frees it when nothing needs it any more.
func (ix *Index) refresh(qi int32) {
	q := ix.queues.at(qi)
	if q.head == none {
		ix.due.remove(qi)
		ix.oldest.remove(qi)
		if q.expected == 0 && !q.running {
			if q.keyed {
				delete(ix.byKey, q.key)
			}
			ix.queues.remove(qi)
		}
		return
	}
	ix.oldest.set(qi)
	if q.running || ix.slots.at(q.head).flags&(isHeld|isCopied) != 0 {
		ix.due.remove(qi)
	} else {
		ix.due.set(qi)
	}
}
