package parking

import (
	"cmp"
	"slices"
	"time"
)

// Stats is how an index is doing.
type Stats struct {
	Live     int // parked messages
	Held     int // of these, waiting for an operator
	Keys     int // keys that are parked; each message without a key counts
	Running  int // keys that run
	Expected int // first PARKs under way

	// Oldest is since when the message that is parked longest has waited: its
	// first failure, or where it only queues up when it was stored in the input;
	// of a replay when it was asked for. Zero: nothing is parked.
	Oldest time.Time

	// NextDue is as [Index.NextDue] says; zero where something is due at once,
	// too. Waiting tells whether there is one.
	NextDue time.Time
	Waiting bool

	CacheBytes int64 // memory that payloads take
}

// Stats is a look at the counts. It costs a lock and no walk.
func (ix *Index) Stats() Stats {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	st := Stats{
		Live: ix.live, Held: ix.held, Keys: ix.queues.live(), Running: ix.running, Expected: ix.expected,
		CacheBytes: ix.cache.bytes,
	}
	if len(ix.oldest.items) > 0 {
		st.Oldest = timeOf(ix.headOf(ix.oldest.items[0]).since)
	}
	if len(ix.due.items) > 0 {
		st.NextDue, st.Waiting = timeOf(ix.headOf(ix.due.items[0]).notBefore), true
	}
	return st
}

// IsLive tells whether a message is parked.
func (ix *Index) IsLive(e Entry) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	_, live := ix.lookup(e)
	return live
}

// State is what an index has folded, for comparing: that of the owner and that
// of a fresh fold of the log are equal whenever nothing is under way.
type State struct {
	Epoch int64
	Live  []Live // by rank
}

// Live is one live message of a State.
type Live struct {
	Item

	Key       string
	HasKey    bool
	NotBefore time.Time
	Since     time.Time
}

// Snapshot is the state by now, without payloads. It walks over all that is
// live, with the lock held: it is for checks and for tools.
func (ix *Index) Snapshot() State {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	st := State{Epoch: ix.epoch}
	for _, si := range ix.byEntry {
		s := ix.slots.at(si)
		q := ix.queues.at(s.queue)
		l := Live{Item: ix.item(si), Key: q.key, HasKey: q.keyed, NotBefore: timeOf(s.notBefore), Since: timeOf(s.since)}
		l.Payload = nil
		st.Live = append(st.Live, l)
	}
	slices.SortFunc(st.Live, func(a, b Live) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Offset, b.Offset))
	})
	return st
}
