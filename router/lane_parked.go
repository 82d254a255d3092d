package router

import "time"

// roomPoll is how often a message that found no room to be parked looks again.
const roomPoll = 50 * time.Millisecond

// park hands a message to the parker. When there is no room its key is held, and
// it is tried again: so the pipe waits, and what is parked goes on meanwhile.
func (l *lane) park(item *laneItem) error {
	room, err := l.worker.parker.park(l.out.kafka, item.entry, item.record, &item.f, item.notBefore)
	if err == nil && !room {
		item.due = time.Now().Add(roomPoll)
		l.hold(item)
		return nil
	}
	return l.settled(item.entry, err)
}

// poison takes a message out of the flow. Where it is to hold its key it needs
// room like one that is parked.
func (l *lane) poison(item *laneItem) error {
	if l.worker.parker.holdsPoisoned(item.record.Key) && !l.worker.parker.hasRoom() {
		item.fate, item.due = toPoison, time.Now().Add(roomPoll)
		l.hold(item)
		return nil
	}
	return l.settled(item.entry, l.out.poison(item.entry, item.record, item.d, item.f))
}

// runParked tries parked messages of a key of this lane. What the lane has
// settled of that key before them is handed over first.
func (l *lane) runParked(run *parkedRun) error {
	if err := l.flush(); err != nil {
		return err
	}
	err := run.each(&l.out, &l.text, l.tryParked)
	l.worker.left.Add(-1)
	return err
}

func (l *lane) tryParked(item *parkedItem) result {
	w := l.worker
	begun := clock()
	l.at.begin(&item.record, begun)
	o, wait := w.stage.step(l.call.begin(l.lowest(nil)), &l.at, w.claim, item.d, w.parker.in.attempt, &l.outputs, &item.f)
	l.call.end()
	now := clock()
	l.at.end(now)
	l.at.rest()
	w.pace.add(now - begun)
	if o != succeeded {
		return result{outcome: o, wait: wait}
	}
	return result{outcome: o, outs: l.out.records(item.d, &l.outputs)}
}
