package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// ErrCut ends whatever was waited for when connections are cut.
var ErrCut = errors.New("the connections are cut")

// Gate makes connections. Shut, it cuts every one that it made and refuses new
// ones for ever: not one more byte leaves through it. It is a dialer for sarama's
// configuration, and safe for concurrent use.
type Gate struct {
	next    contextDialer
	timeout time.Duration // of a dial, and again of a TLS handshake

	open context.Context //nolint:containedctx // ends when the gate is shut
	shut context.CancelFunc

	mu    sync.Mutex
	conns map[*gateConn]struct{}
}

type contextDialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// NewGate makes an open gate before the dialer that the template asks for.
func NewGate(template *sarama.Config) *Gate {
	g := &Gate{timeout: template.Net.DialTimeout, conns: map[*gateConn]struct{}{}}
	g.open, g.shut = context.WithCancel(context.Background())
	if template.Net.Proxy.Enable {
		g.next = proxy{template.Net.Proxy.Dialer, template.Net.DialTimeout}
	} else {
		g.next = &net.Dialer{Timeout: template.Net.DialTimeout, KeepAlive: template.Net.KeepAlive, LocalAddr: template.Net.LocalAddr}
	}
	return g
}

// Dial connects unless the gate is shut before that is done.
func (g *Gate) Dial(network, addr string) (net.Conn, error) {
	return g.DialContext(context.Background(), network, addr)
}

// DialContext connects unless ctx ends, or the gate is shut, before that is done.
func (g *Gate) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	detach := context.AfterFunc(g.open, cancel)
	defer detach()
	conn, err := g.next.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &gateConn{Conn: conn, gate: g}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.IsShut() { // while we dialed
		_ = conn.Close()
		return nil, ErrCut
	}
	g.conns[c] = struct{}{}
	return c, nil
}

// Shut cuts the connections. When it returns all are closed.
func (g *Gate) Shut() {
	g.mu.Lock()
	g.shut()
	conns := g.conns
	g.conns = map[*gateConn]struct{}{}
	g.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
}

// IsShut reports whether Shut was called.
func (g *Gate) IsShut() bool { return g.open.Err() != nil }

type gateConn struct {
	net.Conn
	gate *Gate
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
	next interface {
		Dial(network, addr string) (net.Conn, error)
	}
	timeout time.Duration
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
