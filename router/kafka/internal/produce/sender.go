package produce

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// flight is a batch that a partition's worker hands to a sender, which answers
// exactly once.
type flight struct {
	topic     string
	partition int32
	batch     *sarama.RecordBatch
	bytes     int
	reply     chan reply // has room for it
}

type reply struct {
	block *sarama.ProduceResponseBlock // the broker's answer, or
	err   error                        // why there is none:
	sent  bool                         // something may have reached the broker
	fatal bool                         // another attempt would fail the same way
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
		bytes += s.queue[n].bytes
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

// send puts batches into a request and sends it. The answer comes to a
// callback on the goroutine that reads the connection; it must not wait there,
// nor use the connection.
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
	err = conn.broker.AsyncProduce(s.request(flights), func(resp *sarama.ProduceResponse, err error) {
		defer s.inFlight.Add(-1)
		if err != nil {
			conn.broken.Store(true)
			answerAll(flights, reply{err: s.explain(err), sent: true})
			return
		}
		s.throttle(resp.ThrottleTime)
		for _, f := range flights {
			f.answer(resp)
		}
	})
	if err != nil { // there will be no callback
		s.inFlight.Add(-1)
		fatal := isEncoding(err)
		if !fatal {
			conn.broken.Store(true) // sarama leaves it open
		}
		answerAll(flights, reply{err: s.explain(err), sent: !fatal, fatal: fatal})
	}
}

// request has the batches of all flights.
func (s *sender) request(flights []flight) *sarama.ProduceRequest {
	req := &sarama.ProduceRequest{
		Version:      9,
		RequiredAcks: sarama.WaitForAll,
		Timeout:      int32(s.p.conn.Producer.Timeout.Milliseconds()),
	}
	if s.p.conn.Version.IsAtLeast(sarama.V3_7_0_0) {
		req.Version = 10
	}
	if s.p.txn != nil {
		req.TransactionalID = &s.p.cfg.TransactionalID
	}
	for _, f := range flights {
		req.AddBatch(f.topic, f.partition, f.batch)
	}
	return req
}

// throttle notes how long the broker wants to be left alone.
func (s *sender) throttle(d time.Duration) {
	if d > 0 {
		s.throttled.Store(time.Now().Add(d).UnixNano())
	}
}

// mayStart waits while the broker throttles us: sarama would, too, but holding
// the connection's lock, so that nothing could end it. It returns false when
// the producer is fenced.
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

// answer gives a flight what the response says of its partition.
func (f flight) answer(resp *sarama.ProduceResponse) {
	if block := resp.GetBlock(f.topic, f.partition); block != nil {
		f.reply <- reply{block: block}
		return
	}
	f.reply <- reply{err: errNoAnswer, sent: true}
}

func answerAll(flights []flight, r reply) {
	for _, f := range flights {
		f.reply <- r
	}
}
