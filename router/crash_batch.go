package router

import "time"

// doEach does items one after the other, each as a batch of one. What follows one of
// its key that was parked meanwhile goes behind it.
func (w *batchWorker) doEach(items []batchItem) error {
	for i := range items {
		var err error
		if w.parker.isParked(items[i].record.Key) {
			err = w.park(&items[i])
		} else {
			err = w.do(items[i : i+1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notBegun says what becomes of a batch whose attempt may not be made: only of one that
// is a batch of one more is to be said than that it waits.
func (w *batchWorker) notBegun(item *batchItem, open []int, o outcome, wait time.Duration) (rest []int, after time.Duration) {
	if o == failed {
		item.fate = toPoison
		return nil, 0
	}
	if o == aside {
		item.fate, item.notBefore = toPark, time.Now().Add(wait)
		return nil, 0
	}
	return open, wait
}
