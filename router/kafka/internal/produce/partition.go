package produce

import (
	"slices"
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
	queue []*batch // the last one takes what comes
	bytes int      // of the queue
	taken uint64   // outputs enqueued since the start
	told  uint64   // outputs whose fate was told since the start
	marks []mark   // who waits for told, in ascending order

	// The rest is the worker's own.
	counted  producerID  // what the sequence counts for
	sequence int32       // of the next batch
	seen     *lookup     // the look-up that the leader is taken from
	stale    bool        // it has proved wrong
	reply    chan reply  // for the batch in flight
	out      bool        // a sender has the batch
	timer    *time.Timer // the linger, then the delivery deadline
	retry    *time.Timer // the pause before a retry; idleness
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

// add encodes the partition's chain of outputs into the batches of the queue. It
// wakes the worker when the queue was empty, and when it has a full batch.
func (w *partition) add(outs []client.Output, s *scatter, now time.Time) {
	c, limit := s.chains[w.id], w.limit()
	w.mu.Lock()
	was := w.bytes
	for i, left := c.first, c.bytes; left > 0; i = s.links[i].next {
		size := s.links[i].size
		w.open(size, left, limit).add(&outs[i], size, now)
		left -= size
	}
	w.bytes += c.bytes
	w.taken += uint64(c.count)
	w.mu.Unlock()
	if was == 0 || (was < limit && was+c.bytes >= limit) {
		w.rouse()
	}
}

// open returns the batch that the next output, of a size, goes into. There is
// room in it for what is left of a chain, as far as the batch may take it.
func (w *partition) open(size, left, limit int) *batch {
	last := len(w.queue) - 1
	if last < 0 || !w.queue[last].takes(size, limit) {
		b := w.p.memory.take(max(client.BatchOverhead+size, min(client.BatchOverhead+left, limit)))
		w.queue = append(w.queue, b)
		return b
	}
	b := w.queue[last]
	if cap(b.bytes)-len(b.bytes) < size {
		b = w.p.memory.widen(b, max(size, min(left, limit-b.size)))
		w.queue[last] = b
	}
	return b
}

// rouse lets the worker look at the queue again.
func (w *partition) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// lingers tells when the first batch of the queue was begun, and whether the
// worker should wait for more: it has less than a batch, and nobody waits for
// what it has.
func (w *partition) lingers(limit int) (since time.Time, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue[0].began, w.bytes < limit && len(w.marks) == 0
}

// queued is the size of the queue in bytes.
func (w *partition) queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// take takes the first batch of the queue, or nil.
func (w *partition) take() *batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return nil
	}
	b := w.queue[0]
	w.queue = slices.Delete(w.queue, 0, 1)
	w.bytes -= b.size - client.BatchOverhead
	return b
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
func (w *partition) tell(outs []client.Ticket, base int64, fate client.Fate, err error) {
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
