package produce

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// gate makes a producer's connections. Shut, it cuts every one that
// it made and refuses new ones for ever: not one more byte leaves through it.
type gate struct {
	next dialer
	open context.Context // ends when the gate is shut
	shut context.CancelFunc

	mu    sync.Mutex
	conns map[*gateConn]struct{}
}

type dialer interface {
	Dial(network, addr string) (net.Conn, error)
}

type contextDialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// newGate makes an open gate before the dialer that the template asks for.
func newGate(conf *sarama.Config) *gate {
	g := &gate{conns: map[*gateConn]struct{}{}}
	g.open, g.shut = context.WithCancel(context.Background())
	g.next = &net.Dialer{Timeout: conf.Net.DialTimeout, KeepAlive: conf.Net.KeepAlive, LocalAddr: conf.Net.LocalAddr}
	if conf.Net.Proxy.Enable {
		g.next = proxy{conf.Net.Proxy.Dialer, conf.Net.DialTimeout}
	}
	return g
}

// dial connects unless the gate is shut before that is done.
func (g *gate) dial(network, addr string) (*gateConn, error) {
	conn, err := g.connect(network, addr)
	if err != nil {
		return nil, err
	}
	gc := &gateConn{Conn: conn, gate: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open.Err() != nil { // shut while we dialed
		_ = conn.Close()
		return nil, client.ErrFenced
	}
	g.conns[gc] = struct{}{}
	return gc, nil
}

func (g *gate) connect(network, addr string) (net.Conn, error) {
	if cd, ok := g.next.(contextDialer); ok {
		return cd.DialContext(g.open, network, addr)
	}
	return g.next.Dial(network, addr)
}

// close shuts the gate. When it returns all connections are closed.
func (g *gate) close() {
	g.mu.Lock()
	g.shut()
	conns := g.conns
	g.conns = map[*gateConn]struct{}{}
	g.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
}

type gateConn struct {
	net.Conn
	gate *gate
}

// Close closes the connection and lets the gate forget it.
func (c *gateConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// proxy gives the dialer of a template the timeout and the context that it may
// not know of.
type proxy struct {
	next    dialer
	timeout time.Duration
}

func (p proxy) Dial(network, addr string) (net.Conn, error) {
	return p.DialContext(context.Background(), network, addr)
}

// DialContext dials, and closes the connection of a dial that ended too late.
func (p proxy) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if cd, ok := p.next.(contextDialer); ok {
		return cd.DialContext(ctx, network, addr)
	}
	type dialed struct {
		conn net.Conn
		err  error
	}
	out := make(chan dialed)
	go func() {
		conn, err := p.next.Dial(network, addr)
		select {
		case out <- dialed{conn, err}:
		case <-ctx.Done():
			if err == nil {
				_ = conn.Close()
			}
		}
	}()
	select {
	case d := <-out:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, fmt.Errorf("dial %s through the proxy: %w", addr, context.Cause(ctx))
	}
}
