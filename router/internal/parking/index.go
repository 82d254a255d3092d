package parking

import (
	"sync"
	"sync/atomic"
)

// Index is what the records of one partition of a retry log fold into. All
// methods are safe for concurrent use: one mutex guards everything, and no
// method calls out or waits. Empty, and IsParked while it is empty, take no lock
// but load one atomic.
//
// A message that is parked is live. The live messages of a key are a queue in
// the order of their ranks; a message without a key is a queue of its own. A
// key is parked while it has a live message, or one is expected, or it runs.
type Index struct {
	// busy is how many queues there are, and expected PARKs without a key.
	// Written under mu.
	busy atomic.Int64

	mu       sync.Mutex
	first    int64 // offset of the first record of the fold; -1: none yet
	epoch    int64 // in force; -1: none
	read     int64 // the tail has brought all below
	acted    int64 // offset of the last record of an operator; -1: none
	live     int
	held     int
	running  int // keys
	expected int // PARKs under way
	keyless  int // of these, without a key

	slots   slab[slot]
	queues  slab[queue]
	topics  topicTable
	byEntry map[ident]int32
	byKey   map[string]int32
	due     queueHeap // by the time before which the head is not to be tried
	oldest  queueHeap // by the head's rank

	// Of few messages only.
	replays map[int32]Entry   // by slot: the message's own entry
	heldAt  map[int32]int64   // by slot: the offset at which it came to be held
	heldOf  map[Entry][]int32 // by the message's own entry: what is held of it
	ended   map[Entry]int64   // replays that ended where the tail has not been yet
	acts    map[Entry]act     // of operators, on what a fold from a SCAN does not know yet
	acting  bool              // the fold began at a SCAN, and no TAKE has come since

	cache cache
	clean cleanUp
}

// Config bounds an index.
type Config struct {
	// CacheBytes is how much memory the payloads of live messages may take.
	// Beyond it an [Item] has no payload, and its record is to be fetched.
	// Defaults to 16 MiB; a negative one keeps none.
	CacheBytes int64
}

// New is an empty index, which nothing was folded into.
func New(cfg Config) *Index {
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = 16 << 20
	}
	ix := &Index{first: -1, epoch: -1, acted: -1, cache: cache{max: cfg.CacheBytes}}
	ix.due.less, ix.due.pos = ix.dueBefore, func(q int32) *int32 { return &ix.queues.at(q).due }
	ix.oldest.less, ix.oldest.pos = ix.olderThan, func(q int32) *int32 { return &ix.queues.at(q).oldest }
	ix.reset()
	return ix
}

// reset gives back the memory of what was live: maps and slabs never shrink.
func (ix *Index) reset() {
	ix.slots, ix.queues = slab[slot]{}, slab[queue]{}
	ix.byEntry, ix.byKey = map[ident]int32{}, map[string]int32{}
	ix.due.items, ix.oldest.items = nil, nil
	ix.replays, ix.heldAt, ix.heldOf = map[int32]Entry{}, map[int32]int64{}, map[Entry][]int32{}
	if ix.ended == nil {
		ix.ended, ix.acts = map[Entry]int64{}, map[Entry]act{}
	}
	ix.cache.reset()
	ix.clean.plan = nil // nothing is left to copy
}

// Apply folds a record that lies at the offset. It tells whether the record had
// an effect: one whose epoch is not in force has none, nor has what comes too
// late. A fold applies all records in the order of the log, and must begin where
// the log does or at a SCAN.
//
// The partition's owner folds the log up to its own TAKE like this, and from then
// on applies its own records when they are confirmed (in the order in which it
// sent them) and those of operators when its tail brings them; own ones that the
// tail brings again are not applied twice. The tail may be late, but never ahead:
// at an own record that is not applied yet it waits, because an operator's
// record behind it may mean what that one says. The owner looks out for a TAKE that is not
// its own before it applies it: its claim is over then.
//
// Apply keeps nothing that e points to; it copies the key, and the payload where
// the cache has room for it.
func (ix *Index) Apply(e Event, offset int64) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	defer ix.settle()
	if ix.first < 0 {
		ix.first, ix.clean.from = offset, offset
		if s, ok := e.(*Scan); ok {
			ix.epoch, ix.acting = s.Epoch, true
			return true
		}
	}
	switch e := e.(type) {
	case *Take:
		ix.take(e, offset)
		return true
	case *Park:
		return e.Epoch == ix.epoch && ix.park(e, offset)
	case *Start:
		return e.Epoch == ix.epoch && ix.start(e)
	case *Done:
		return e.Epoch == ix.epoch && ix.done(e, offset)
	case *Replay:
		ix.acted = max(ix.acted, offset)
		return ix.replay(e, offset)
	case *Drop:
		ix.acted = max(ix.acted, offset)
		return ix.drop(e, offset)
	case *Scan:
		return e.Epoch == ix.epoch
	}
	return false
}

// ReadTo tells the index that the tail, or the fold, has brought all records
// below the offset. Call it after each batch of the tail: what is remembered for
// operators' records that may still come is forgotten then, and a clean-up may
// begin only when its SCAN was passed.
func (ix *Index) ReadTo(offset int64) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.read = max(ix.read, offset)
	for e, at := range ix.ended {
		if at < ix.read {
			delete(ix.ended, e)
		}
	}
}

// Epoch is the epoch in force; -1 where there is none yet.
func (ix *Index) Epoch() int64 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.epoch
}

// settle brings busy up to date, and gives back memory once nothing is left.
func (ix *Index) settle() {
	n := ix.queues.live() + ix.keyless
	if n == 0 && ix.slots.chunked() {
		ix.reset()
	}
	ix.busy.Store(int64(n))
}
