package router

// finish sends what came of items, in their order. What comes behind one of its
// key that is parked is parked too, whatever came of it: its outputs may not
// overtake.
func (w *batchWorker) finish(items []batchItem) error {
	var waiting map[string]bool // keys that were parked here
	for i := range items {
		item := &items[i]
		done, err := w.end(item, waiting[string(item.record.Key)] && item.record.Key != nil)
		if err != nil {
			return err
		}
		if !done && item.record.Key != nil {
			if waiting == nil {
				waiting = map[string]bool{}
			}
			waiting[string(item.record.Key)] = true
		}
	}
	if err := w.out.kafka.Flush(); err != nil {
		return err
	}
	return w.claim.Throttle(w.claim.Context())
}

// end brings one item to its end. It is not done when it is parked.
func (w *batchWorker) end(item *batchItem, behind bool) (done bool, err error) {
	if behind {
		if item.fate == toSettle {
			item.f = failure{} // it is tried anew
		}
		return false, w.park(item)
	}
	if item.fate == toSettle {
		err := w.out.settle(item.entry, item.d, item.outs)
		if !item.f.refused(err) {
			return true, err
		}
		item.fate = toPoison
	}
	if item.fate == toPark {
		return false, w.park(item)
	}
	holds := w.parker.holdsPoisoned(item.record.Key)
	for holds && !w.parker.hasRoom() {
		if !w.awaitRoom() {
			w.claim.Abandon(item.entry)
			return false, nil
		}
		if err := w.runParked(); err != nil {
			return false, err
		}
	}
	return !holds, w.out.poison(item.entry, item.record, item.d, item.f)
}

func (w *batchWorker) giveUp(items []batchItem) {
	for i := range items {
		w.claim.Abandon(items[i].entry)
	}
}
