package produce

import (
	"sync"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// partition is one output partition: a queue, and a worker (run) that has one
// batch of it in flight.
type partition struct {
	p     *Producer
	topic *topic
	id    int32
	wake  chan struct{} // there is something in the queue, or a batch of it

	mu    sync.Mutex
	queue []client.Output
	bytes int    // of the queue
	taken uint64 // outputs enqueued since the start
	told  uint64 // outputs whose fate was told since the start
	marks []mark // who waits for told, in ascending order

	// The rest is the worker's own.
	spare    []client.Output // what the queue is swapped with
	sequence int32           // of the next batch
	seen     *lookup         // the look-up that the leader is taken from
	stale    bool            // it has proved wrong
	reply    chan reply      // for the batch in flight
	out      bool            // a sender has the batch
	timer    *time.Timer     // the linger, then the delivery deadline
	retry    *time.Timer     // the pause before a retry; idleness
}

// mark is closed when as many fates have been told.
type mark struct {
	at      uint64
	reached chan struct{}
}

func newPartition(p *Producer, t *topic, id int32) *partition {
	w := &partition{
		p: p, topic: t, id: id,
		wake:  make(chan struct{}, 1),
		reply: make(chan reply, 1),
		timer: time.NewTimer(time.Hour),
		retry: time.NewTimer(time.Hour),
	}
	w.timer.Stop()
	w.retry.Stop()
	return w
}

// add puts the partition's chain of outputs into the queue. It wakes the
// worker when the queue was empty, and when it has a full batch.
func (w *partition) add(outs []client.Output, s *scatter) {
	c := s.chains[w.id]
	w.mu.Lock()
	was := w.bytes
	i := c.first
	for range c.count {
		w.queue = append(w.queue, outs[i])
		i = s.next[i]
	}
	w.bytes += c.bytes
	w.taken += uint64(c.count)
	w.mu.Unlock()
	full := w.limit()
	if was == 0 || (was < full && was+c.bytes >= full) {
		w.rouse()
	}
}

// rouse lets the worker look at the queue again.
func (w *partition) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// lingers reports whether the worker should wait for more: it has less than a
// batch, and nobody waits for what it has.
func (w *partition) lingers(limit int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes < limit && len(w.marks) == 0
}

// queued is the size of the queue in bytes.
func (w *partition) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// swap takes the whole queue. The slice is valid until the next swap.
func (w *partition) swap() []client.Output {
	clear(w.spare)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spare, w.queue = w.queue, w.spare[:0]
	w.bytes = 0
	return w.spare
}

// shrink lets go of what the last outputs hold in memory, and of buffers that
// only a burst needs. It is called when the partition is idle.
func (w *partition) shrink() {
	const keep = 1024
	clear(w.spare)
	w.spare = w.spare[:0]
	if cap(w.spare) > keep {
		w.spare = nil
	}
}

// mark returns a channel that is closed when the fate of everything enqueued
// so far has been told, or nil if it has been.
func (w *partition) mark() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told == w.taken {
		return nil
	}
	if n := len(w.marks); n > 0 && w.marks[n-1].at == w.taken {
		return w.marks[n-1].reached
	}
	m := mark{w.taken, make(chan struct{})}
	w.marks = append(w.marks, m)
	w.rouse() // no more lingering
	return m.reached
}

// tell reports a fate, then lets those go who waited for it.
func (w *partition) tell(outs []client.Output, base int64, fate client.Fate, err error) {
	if len(outs) == 0 {
		return
	}
	w.p.cfg.Done(client.Result{Topic: w.topic.name, Partition: w.id, Outputs: outs, Base: base, Fate: fate, Err: err})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told += uint64(len(outs))
	for len(w.marks) > 0 && w.marks[0].at <= w.told {
		close(w.marks[0].reached)
		w.marks = w.marks[1:]
	}
}
