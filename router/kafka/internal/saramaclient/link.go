package saramaclient

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// maxAnswer bounds an answer, in bytes. A broker sends at least one batch, however
// large it is.
const maxAnswer = 128 << 20

var errLinkClosed = errors.New("the connection is closed")

// link sends fetch requests to one broker, one at a time, on a connection of its
// own. It connects when it is first used, and again when the connection was lost.
// It is safe for concurrent use.
type link struct {
	conf *sarama.Config
	addr string
	gate *connect.Gate // shut when the link is closed

	turn  sync.Mutex // of the request that is under way
	next  int32      // correlation id
	until time.Time  // the broker wants nothing before

	mu     sync.Mutex
	conn   net.Conn // nil: none
	closed chan struct{}
}

func newLink(conf *sarama.Config, addr string) *link {
	return &link{conf: conf, addr: addr, gate: connect.NewGate(conf), closed: make(chan struct{})}
}

// close ends what is under way. No more is sent.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return
	default:
	}
	close(l.closed)
	l.gate.Shut() // also what is only being made
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// fetch sends a request and waits for its answer. What was idle for long may have
// been closed by the broker, or must authenticate again: that shows only now, and
// is tried on a new connection.
func (l *link) fetch(req *fetchRequest) (map[place]*block, error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	if err := l.pause(); err != nil {
		return nil, err
	}
	for {
		conn, used, err := l.connect()
		if err != nil {
			return nil, fmt.Errorf("broker %s: %w", l.addr, err)
		}
		body, err := l.exchange(conn, req)
		if err == nil {
			blocks, throttle, err := decodeFetched(body)
			l.until = time.Now().Add(throttle)
			if err != nil {
				return nil, fmt.Errorf("broker %s: %w", l.addr, err)
			}
			return blocks, nil
		}
		l.disconnect()
		if !used || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errMalformed) {
			return nil, fmt.Errorf("broker %s: %w", l.addr, err)
		}
	}
}

// pause waits for as long as the broker asked for.
func (l *link) pause() error {
	d := time.Until(l.until)
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.closed:
		return errLinkClosed
	}
}

func (l *link) connect() (conn net.Conn, used bool, err error) {
	l.mu.Lock()
	conn = l.conn
	l.mu.Unlock()
	if conn == nil {
		if conn, err = l.open(); err != nil {
			return nil, false, err
		}
	} else {
		used = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		_ = conn.Close()
		return nil, false, errLinkClosed
	default:
		l.conn = conn
		return conn, used, nil
	}
}

func (l *link) open() (net.Conn, error) {
	conn, err := l.gate.Open(l.conf, l.addr)
	if errors.Is(err, connect.ErrCut) {
		err = errLinkClosed
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (l *link) disconnect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// exchange returns the answer's body, in memory of its own: records point to it.
func (l *link) exchange(conn net.Conn, req *fetchRequest) ([]byte, error) {
	id := l.next
	l.next++
	if err := conn.SetWriteDeadline(time.Now().Add(l.conf.Net.WriteTimeout)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(req.frame(id, l.conf.ClientID)); err != nil {
		return nil, fmt.Errorf("send a request: %w", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(l.conf.Net.ReadTimeout)); err != nil {
		return nil, err
	}
	var head [8]byte // size and correlation id
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, fmt.Errorf("wait for an answer: %w", err)
	}
	size := int(int32(binary.BigEndian.Uint32(head[:]))) - 4
	if size < 0 || size > maxAnswer {
		return nil, fmt.Errorf("%w: it has %d bytes", errMalformed, size)
	}
	if got := int32(binary.BigEndian.Uint32(head[4:])); got != id {
		return nil, fmt.Errorf("%w: it is to request %d instead of %d", errMalformed, got, id)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	return body, nil
}

// links has a link to each broker that is asked for. It is safe for concurrent
// use.
type links struct {
	conf *sarama.Config

	mu     sync.Mutex
	all    map[string]*link // by address
	closed bool
}

func newLinks(conf *sarama.Config) *links { return &links{conf: conf, all: map[string]*link{}} }

func (s *links) to(addr string) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.all[addr]
	if l == nil {
		l = newLink(s.conf, addr)
		if s.closed {
			l.close()
		}
		s.all[addr] = l
	}
	return l
}

func (s *links) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, l := range s.all {
		l.close()
	}
}
