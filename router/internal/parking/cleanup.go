package parking

import "fmt"

// When a clean-up pays.
const (
	minSpan     = 10_000 // records between where a fold begins and the log's end
	spanPerLive = 4      // and as many times the live messages
)

// cleanUp is a clean-up that is under way: all that lies below its SCAN is
// copied behind it.
type cleanUp struct {
	from  int64 // where a fold begins by now
	scan  int64 // 0: none is under way; no SCAN lies at 0, because a TAKE comes before
	below int   // live messages whose record lies below scan
	plan  []planned
}

type planned struct {
	record int64 // the message is meant while this is its record
	slot   int32
}

// WorthCleaning tells whether a clean-up pays when the log ends at next (the
// offset that the next record gets): a fold would read at least 10,000 records,
// and four times as many as messages are live. It is false while one is under
// way.
//
// A clean-up, in this order: write SCAN, and apply it; BeginCleanUp; write
// [Item.Again] of all that NextCopies gives, and apply that, until BelowScan is 0;
// EndCleanUp; commit the metadata with the new place to begin; when the commit is
// confirmed, delete the records below SCAN. A claim that ends in between leaves a
// log that folds to the same state from where it began before.
//
// A REPLAY or DROP behind SCAN spoils the clean-up: a fold from there might meet it
// before the copy of what it means. Then AbandonCleanUp, and begin another one
// later.
func (ix *Index) WorthCleaning(next int64) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	span := next - ix.clean.from
	return ix.first >= 0 && ix.clean.scan == 0 && span >= minSpan && span >= spanPerLive*int64(ix.live)
}

// BeginCleanUp says that SCAN, which has been applied, lies at the offset. It fails
// where another clean-up is under way. It walks over all that is live, with the
// lock held.
func (ix *Index) BeginCleanUp(scan int64) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.clean.scan != 0 {
		return fmt.Errorf("clean up below %d: the clean-up below %d is under way", scan, ix.clean.scan)
	}
	ix.clean.scan = scan
	for _, qi := range ix.oldest.items { // all queues with a live message
		for si := ix.queues.at(qi).head; si != none; si = ix.slots.at(si).next {
			if r := ix.slots.at(si).record; r < scan {
				ix.clean.plan = append(ix.clean.plan, planned{record: r, slot: si})
			}
		}
	}
	ix.clean.below = len(ix.clean.plan)
	return nil
}

// NextCopies gives at most limit messages that are to be copied, and marks them:
// none of them is taken to run until its copy is applied. A message that runs is
// not given (else its DONE could be followed by the copy, which would raise it
// from the dead), but later, if it is still live and below then. So no copies
// with BelowScan above 0 means: ask again when something has run or was
// confirmed.
func (ix *Index) NextCopies(limit int) []Item {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	var out []Item
	for n := len(ix.clean.plan); n > 0 && len(out) < limit; n-- {
		p := ix.clean.plan[0]
		ix.clean.plan = ix.clean.plan[1:]
		s := ix.slots.at(p.slot)
		switch {
		case s.flags&isLive == 0 || s.record != p.record: // ended, or written again
		case s.flags&isRunning != 0:
			ix.clean.plan = append(ix.clean.plan, p)
		default:
			s.flags |= isCopied
			out = append(out, ix.item(p.slot))
			ix.refresh(s.queue)
		}
	}
	return out
}

// BelowScan is how many live messages of the clean-up that is under way still
// have their record below its SCAN.
func (ix *Index) BelowScan() int {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.clean.below
}

// Spoiled tells whether an operator's record lies behind the SCAN of the clean-up
// that is under way.
func (ix *Index) Spoiled() bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.clean.scan != 0 && ix.acted > ix.clean.scan
}

// AbandonCleanUp gives up the clean-up that is under way. Call it when no copy is
// under way: a later one would be a copy from below the next SCAN.
func (ix *Index) AbandonCleanUp() {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.clean = cleanUp{from: ix.clean.from}
}

// EndCleanUp says that the place to begin is about to be committed. It fails while
// BelowScan is not 0, where the clean-up is spoiled, and where none is under way.
func (ix *Index) EndCleanUp() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	c := &ix.clean
	switch {
	case c.scan == 0 || c.below > 0:
		return fmt.Errorf("end the clean-up below %d: %d messages lie below", c.scan, c.below)
	case ix.acted > c.scan:
		return fmt.Errorf("end the clean-up below %d: an operator's record lies at %d", c.scan, ix.acted)
	}
	ix.clean = cleanUp{from: c.scan}
	return nil
}
