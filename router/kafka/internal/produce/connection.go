package produce

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

var errNoAnswer = errors.New("the broker's answer lacks the partition")

// connection carries the requests of a sender, several at a time, and a
// goroutine of its own hands out the answers. Once something went wrong on it,
// it is not used again: what was half written or not answered could be
// anything.
//
// A request is waited for only when it is written. So no batch is answered
// while it can still be read from its partition's memory, which is used again
// after the answer.
type connection struct {
	s      *sender
	conn   *connect.Conn
	tcp    *net.TCPConn  // where pieces are written together, or
	joined *bufio.Writer // small ones are put together first

	written chan exchange // in order
	room    chan struct{} // one is put in for each exchange under way
	done    chan struct{} // closed when the reader has ended
	broken  atomic.Bool

	next  int32 // correlation id
	frame frame
}

// exchange is a request that is written and not answered yet.
type exchange struct {
	correlation int32
	flights     []flight // sorted by place
}

// connect returns the sender's connection, a new one if there is none or it is
// broken.
func (s *sender) connect() (*connection, error) {
	if s.conn != nil && s.conn.broken.Load() {
		s.disconnect()
	}
	if s.conn == nil {
		conn, err := s.p.gate.Open(s.p.conn, s.addr)
		if err != nil {
			return nil, s.explain(err)
		}
		s.conn = newConnection(s, conn)
	}
	return s.conn, nil
}

func newConnection(s *sender, conn *connect.Conn) *connection {
	conf := s.p.conn
	c := &connection{
		s: s, conn: conn,
		written: make(chan exchange, s.p.cfg.MaxInFlight),
		room:    make(chan struct{}, s.p.cfg.MaxInFlight),
		done:    make(chan struct{}),
		frame: frame{
			clientID: conf.ClientID, transactionalID: s.p.cfg.TransactionalID,
			timeout: int32(conf.Producer.Timeout.Milliseconds()),
		},
	}
	if c.tcp = conn.TCP(); c.tcp == nil {
		const joins = 64 << 10 // larger pieces are not copied
		c.joined = bufio.NewWriterSize(conn, joins)
	}
	go c.read()
	return c
}

// disconnect closes the connection, and returns when what was in flight on it
// is answered.
func (s *sender) disconnect() {
	if s.conn != nil {
		_ = s.conn.conn.Close()
		close(s.conn.written)
		<-s.conn.done
		s.conn = nil
	}
}

func (s *sender) explain(err error) error {
	return fmt.Errorf("broker %s: %w", s.addr, err)
}

// send writes a request with the flights, when there is room for one more.
// Without an error their answers will come. With one, sent tells whether
// something may have reached the broker.
func (c *connection) send(flights []flight) (sent bool, err error) {
	select {
	case c.room <- struct{}{}:
	case <-c.s.p.fence.cut:
		return false, errCut
	}
	id := c.next
	c.next++
	if err := c.write(c.frame.fill(id, flights)); err != nil {
		c.fail()
		<-c.room
		return true, err
	}
	c.frame.forget()
	c.written <- exchange{id, flights} // has the room
	return true, nil
}

func (c *connection) write(pieces *net.Buffers) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.s.p.conn.Net.WriteTimeout)); err != nil {
		return err
	}
	if c.tcp != nil {
		_, err := pieces.WriteTo(c.tcp)
		return err
	}
	if _, err := pieces.WriteTo(c.joined); err != nil {
		return err
	}
	return c.joined.Flush()
}

// fail ends the connection: what is in flight on it gets no answer.
func (c *connection) fail() {
	c.broken.Store(true)
	_ = c.conn.Cut()
}

// read hands out answers until the connection is closed. What is in flight
// when it breaks fails, and so does what was written before that showed.
func (c *connection) read() {
	defer close(c.done)
	in := answers{from: bufio.NewReader(c.conn)}
	var failed error
	for x := range c.written {
		if failed == nil {
			if failed = c.receive(&in, x); failed != nil {
				c.fail()
			}
		}
		if failed != nil {
			answerAll(x.flights, reply{err: c.s.explain(failed), sent: true})
		}
		<-c.room
		c.s.inFlight.Add(-1)
	}
}

// receive reads the answer to a request and hands it out. After an error
// nobody has got an answer.
func (c *connection) receive(in *answers, x exchange) error {
	if err := c.conn.SetReadDeadline(time.Now().Add(c.s.p.conn.Net.ReadTimeout)); err != nil {
		return err
	}
	throttle, err := in.read(x.correlation)
	if err != nil {
		return err
	}
	c.s.throttle(throttle)
	in.handOut(x.flights)
	return nil
}

// answers are read from a connection, one response after the other, into
// memory that is used again.
type answers struct {
	from *bufio.Reader
	head [8]byte // size and correlation id
	body []byte
	all  []placed
}

// maxAnswer bounds a response: what comes from outside must not fill the
// memory. One partition takes some 40 bytes, and a text where it is refused.
const maxAnswer = 16 << 20

// read reads the response to a request.
func (a *answers) read(correlation int32) (throttle time.Duration, err error) {
	if _, err := io.ReadFull(a.from, a.head[:]); err != nil {
		return 0, fmt.Errorf("wait for an answer: %w", err)
	}
	size := int(int32(binary.BigEndian.Uint32(a.head[:]))) - 4
	if size < 0 || size > maxAnswer {
		return 0, fmt.Errorf("%w: it has %d bytes", errMalformed, size)
	}
	if id := int32(binary.BigEndian.Uint32(a.head[4:])); id != correlation {
		return 0, fmt.Errorf("%w: it is to request %d instead of %d", errMalformed, id, correlation)
	}
	if cap(a.body) < size {
		a.body = make([]byte, size)
	}
	if _, err := io.ReadFull(a.from, a.body[:size]); err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	a.all, throttle, err = decodeAnswers(a.all[:0], a.body[:size])
	return throttle, err
}

// handOut gives each flight what is said of its partition.
func (a *answers) handOut(flights []flight) {
	for i := range a.all {
		p := &a.all[i]
		if f := find(flights, i, p); f != nil && f.reply != nil {
			f.reply <- reply{answer: p.answer}
			f.reply = nil // answered
		}
	}
	for i := range flights {
		if f := &flights[i]; f.reply != nil {
			f.reply <- reply{err: errNoAnswer, sent: true}
		}
	}
}

// find returns the flight that p is about, probably the one at the same place.
func find(flights []flight, at int, p *placed) *flight {
	if at < len(flights) && flights[at].partition == p.partition && flights[at].topic == string(p.topic) {
		return &flights[at]
	}
	i, ok := slices.BinarySearchFunc(flights, p, func(f flight, p *placed) int {
		return cmp.Or(strings.Compare(f.topic, string(p.topic)), cmp.Compare(f.partition, p.partition))
	})
	if ok {
		return &flights[i]
	}
	return nil
}
