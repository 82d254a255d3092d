package router

import (
	"net"
	"sync"
)

// limitedListener bounds the connections that are open: more are left in the
// system's queue.
type limitedListener struct {
	net.Listener

	free   chan struct{}
	closed chan struct{}
	close  func() error
}

func newLimitedListener(l net.Listener, most int) *limitedListener {
	limited := &limitedListener{Listener: l, free: make(chan struct{}, most), closed: make(chan struct{})}
	limited.close = sync.OnceValue(func() error {
		close(limited.closed)
		return l.Close()
	})
	return limited
}

// Accept waits for room, and then for a connection.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.free })}, nil
}

// Close implements net.Listener.
func (l *limitedListener) Close() error { return l.close() }

type limitedConn struct {
	net.Conn

	leave func()
}

// Close makes room for another one.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
