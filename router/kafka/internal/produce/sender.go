package produce

import (
	"sync"
	"sync/atomic"
	"time"
)

// flight is a batch that a partition's worker hands to a sender, which answers
// exactly once.
type flight struct {
	topic     string
	partition int32
	batch     []byte
	reply     chan reply // has room for it
}

type reply struct {
	answer answer // the broker's, or
	err    error  // why there is none:
	sent   bool   // something may have reached the broker
}

// senders has a sender for each broker address in use. They are made when
// needed and go when they have been idle, so that a broker that has gone, or
// has another address now, leaves nothing behind.
type senders struct {
	p       *Producer
	running sync.WaitGroup
	mu      sync.Mutex
	byAddr  map[string]*sender
}

// submit hands a batch to the sender of a broker.
func (ss *senders) submit(addr string, f flight) {
	ss.mu.Lock()
	s := ss.byAddr[addr]
	if s == nil {
		s = &sender{p: ss.p, all: ss, addr: addr, wake: make(chan struct{}, 1)}
		ss.byAddr[addr] = s
		ss.running.Go(s.run)
	}
	s.queue = append(s.queue, f)
	ss.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// sender owns the connection to one broker. It puts the batches that wait into
// one request and keeps some requests in flight.
type sender struct {
	p     *Producer
	all   *senders
	addr  string
	wake  chan struct{}
	queue []flight // guarded by senders.mu, so that none is added to a sender that has gone

	conn      *connection  // the goroutine's own
	inFlight  atomic.Int32 // requests
	throttled atomic.Int64 // until when, in nanoseconds since 1970
}

func (s *sender) run() {
	defer s.disconnect()
	idle := time.NewTimer(s.p.cfg.IdleTimeout)
	defer idle.Stop()
	for {
		for flights := s.take(); len(flights) > 0; flights = s.take() {
			s.send(flights)
			idle.Reset(s.p.cfg.IdleTimeout)
		}
		select {
		case <-s.wake:
		case <-idle.C:
			if s.leave() {
				return
			}
			idle.Reset(s.p.cfg.IdleTimeout)
		case <-s.p.fence.cut:
			if s.leave() {
				return
			}
		}
	}
}

// take removes from the queue what fits one request. A partition is in it once
// at most, for it has one batch in flight.
func (s *sender) take() []flight {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	n, bytes := 0, 0
	for n < len(s.queue) {
		bytes += len(s.queue[n].batch)
		if n > 0 && bytes > s.p.cfg.RequestBytes {
			break
		}
		n++
	}
	if n == 0 {
		return nil
	}
	taken := append([]flight(nil), s.queue[:n]...)
	rest := copy(s.queue, s.queue[n:])
	clear(s.queue[rest:])
	s.queue = s.queue[:rest]
	return taken
}

// leave takes the sender out of service unless it has something to do. After
// it nothing can be submitted to this one.
func (s *sender) leave() bool {
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	if len(s.queue) > 0 || s.inFlight.Load() > 0 && !s.p.isCut() {
		return false
	}
	delete(s.all.byAddr, s.addr)
	return true
}

// send puts batches into a request and sends it.
func (s *sender) send(flights []flight) {
	if !s.mayStart() {
		answerAll(flights, reply{err: errCut})
		return
	}
	conn, err := s.connect()
	if err != nil {
		answerAll(flights, reply{err: err})
		return
	}
	s.inFlight.Add(1)
	if sent, err := conn.send(flights); err != nil {
		s.inFlight.Add(-1)
		answerAll(flights, reply{err: s.explain(err), sent: sent})
	}
}

// throttle notes how long the broker wants to be left alone.
func (s *sender) throttle(d time.Duration) {
	if d > 0 {
		s.throttled.Store(time.Now().Add(d).UnixNano())
	}
}

// mayStart waits while the broker throttles us. It returns false when the
// producer is fenced.
func (s *sender) mayStart() bool {
	if d := time.Until(time.Unix(0, s.throttled.Load())); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.p.fence.cut:
		}
	}
	return !s.p.isCut()
}

// answerAll gives the same reply to all that have none.
func answerAll(flights []flight, r reply) {
	for i := range flights {
		if f := &flights[i]; f.reply != nil {
			f.reply <- r
			f.reply = nil
		}
	}
}
