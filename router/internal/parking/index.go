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
	heldOf  map[Entry][]int32 // by the message's own entry: what is held of it

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
	ix.replays, ix.heldOf = map[int32]Entry{}, map[Entry][]int32{}
	ix.cache.reset()
	ix.clean.plan = nil // nothing is left to copy
}

// Apply folds a record that lies at the offset. It tells whether the record had
// an effect: one whose epoch is not in force has none, nor has what comes too
// late. All records are applied in the order of the log, which begins at its first
// record or at a SCAN.
//
// The partition's owner applies its own records, too, when it reads them back: what
// a producer has confirmed may lie behind another owner's TAKE. It looks out for a
// TAKE that is not its own before it applies it: its claim is over then.
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
			ix.epoch = s.Epoch
			return true
		}
	}
	switch e := e.(type) {
	case *Take:
		ix.epoch = offset
		return true
	case *Resume:
		return e.Epoch == ix.epoch && ix.resume(e)
	case *Park:
		return e.Epoch == ix.epoch && ix.park(e, offset)
	case *Start:
		return e.Epoch == ix.epoch && ix.start(e)
	case *Done:
		return e.Epoch == ix.epoch && ix.done(e)
	case *Replay:
		ix.acted = offset
		return ix.replay(e, offset)
	case *Drop:
		ix.acted = offset
		_, effect := ix.release(e.Of, nil)
		return effect
	case *Scan:
		return e.Epoch == ix.epoch
	}
	return false
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
