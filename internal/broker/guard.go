package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard stands between the network and the cluster. kfake believes what it
// reads: the first four bytes of a request are the size that it allocates, and
// a request of a kind that it does not know ends the process. A browser that is
// pointed at the port would do. The guard ends such connections, and it can end
// all of them at once.
type guard struct {
	net.Listener

	closeOnce sync.Once
	closed    chan struct{}

	mu    sync.Mutex
	conns map[*guardedConn]struct{}
	shut  bool
}

// guardAll puts a guard before each listener.
func guardAll(listeners []net.Listener) []*guard {
	guards := make([]*guard, 0, len(listeners))
	for _, l := range listeners {
		guards = append(guards, &guard{Listener: l, closed: make(chan struct{}), conns: make(map[*guardedConn]struct{})})
	}
	return guards
}

// acceptPause keeps a listener that has run out of file descriptors from
// spinning.
const acceptPause = 50 * time.Millisecond

// Accept returns the next connection. It fails only when the listener is
// closed: kfake never accepts again after an error.
func (g *guard) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil {
			select {
			case <-time.After(acceptPause):
			case <-g.closed:
			}
			continue
		}
		if guarded := g.admit(conn); guarded != nil {
			return guarded, nil
		}
	}
}

// Close implements net.Listener.
func (g *guard) Close() error {
	g.closeOnce.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

func (g *guard) admit(conn net.Conn) net.Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		_ = conn.Close()
		return nil
	}
	guarded := &guardedConn{Conn: conn, guard: g}
	g.conns[guarded] = struct{}{}
	return guarded
}

// cut closes the listener and every connection at once: whatever the cluster
// answers from now on reaches nobody.
func (g *guard) cut() {
	g.mu.Lock()
	g.shut = true
	conns := g.conns
	g.conns = make(map[*guardedConn]struct{})
	g.mu.Unlock()
	_ = g.Close()
	for conn := range conns {
		_ = conn.Conn.Close()
	}
}

// requestHead is how much of a request the guard looks at: its size, kind and
// version.
const requestHead = 4 + 2 + 2

// The sizes of the smallest and the largest request: a bare header, and what a
// Kafka takes (socket.request.max.bytes).
const (
	minRequestSize = 8
	maxRequestSize = 100 << 20
)

// guardedConn checks the head of each request before it passes it on. Only one
// goroutine reads from it.
type guardedConn struct {
	net.Conn
	guard *guard

	head [requestHead]byte
	held []byte // what of head is still to be handed out
	left int64  // what of the request is still to be handed out, held included
}

// Read implements net.Conn.
func (c *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), c.left)]
	var n int
	var err error
	if len(c.held) > 0 {
		n = copy(p, c.held)
		c.held = c.held[n:]
	} else {
		n, err = c.Conn.Read(p)
	}
	c.left -= int64(n)
	return n, err
}

// next reads and checks the head of the next request.
func (c *guardedConn) next() error {
	if _, err := io.ReadFull(c.Conn, c.head[:]); err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(c.head[:4]))
	kind := int16(binary.BigEndian.Uint16(c.head[4:6]))
	if size < minRequestSize || size > maxRequestSize {
		return fmt.Errorf("a request of %d bytes is no Kafka request", size)
	}
	if kmsg.RequestForKey(kind) == nil {
		return fmt.Errorf("there are no requests of kind %d", kind)
	}
	c.held = c.head[:]
	c.left = 4 + size
	return nil
}

// Close implements net.Conn.
func (c *guardedConn) Close() error {
	c.guard.mu.Lock()
	delete(c.guard.conns, c)
	c.guard.mu.Unlock()
	return c.Conn.Close()
}
