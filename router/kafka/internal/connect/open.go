package connect

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/IBM/sarama"
)

// Conn is a connection that is ready for requests: made, encrypted and
// authenticated as a template asks.
type Conn struct {
	net.Conn // above TLS, if there is any

	under net.Conn // below it
}

// Cut closes the connection without a word to the other side, as the end of TLS
// would be, which can wait for a write that hangs.
func (c *Conn) Cut() error { return c.under.Close() }

// TCP is the socket that the connection's bytes go through as they are, nil where
// they do not.
func (c *Conn) TCP() *net.TCPConn {
	if c.Conn != c.under {
		return nil
	}
	for conn := c.under; ; {
		switch at := conn.(type) {
		case *net.TCPConn:
			return at
		case *gateConn: // one gate can be before another
			conn = at.Conn
		default:
			return nil
		}
	}
}

// Open makes a connection through the gate. Sarama does it, since it knows the
// ways to authenticate; then the connection is taken from it, while nothing is in
// flight. That can run code of the user (a token provider, a proxy), so who shuts
// the gate does not wait for it.
func (g *Gate) Open(template *sarama.Config, addr string) (*Conn, error) {
	l := &lender{gate: g}
	conf := *template // sarama changes it where it negotiates
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, l
	if conf.Net.TLS.Enable {
		l.tls = serverTLS(conf.Net.TLS.Config, addr)
		conf.Net.TLS.Enable, conf.Net.TLS.Config = false, nil
	}
	broker := sarama.NewBroker(addr)
	if err := broker.Open(&conf); err != nil {
		return nil, err
	}
	connected := make(chan error)
	go func() {
		ok, err := broker.Connected() // returns when Open is through
		if err == nil && !ok {
			err = sarama.ErrNotConnected
		}
		select {
		case connected <- err:
		case <-g.open.Done():
			_ = broker.Close()
		}
	}()
	select {
	case err := <-connected:
		if err == nil {
			l.lent.keep.Store(true)
		}
		_ = broker.Close() // what sarama has beside the connection
		if err != nil {
			return nil, err
		}
		return &Conn{l.lent.Conn, l.under}, nil
	case <-g.open.Done():
		return nil, ErrCut
	}
}

// lender is a dialer that lends sarama one connection of the gate, encrypted if
// that is asked for.
type lender struct {
	gate *Gate
	tls  *tls.Config // nil: not encrypted

	under net.Conn
	lent  *loan
}

// Dial implements the dialer of sarama's configuration.
func (l *lender) Dial(network, addr string) (net.Conn, error) {
	under, err := l.gate.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	l.under, l.lent = under, &loan{Conn: under}
	if l.tls == nil {
		return l.lent, nil
	}
	ctx, cancel := context.WithTimeout(l.gate.open, l.gate.timeout)
	defer cancel()
	encrypted := tls.Client(under, l.tls)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = under.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	l.lent.Conn = encrypted
	return l.lent, nil
}

// loan is a connection that stays open when its borrower closes it, once it is
// to be kept.
type loan struct {
	net.Conn
	keep atomic.Bool
}

// Close closes the connection unless it is to be kept.
func (l *loan) Close() error {
	if l.keep.Load() {
		return nil
	}
	return l.Conn.Close()
}

// serverTLS is the template's configuration for the broker at addr.
func serverTLS(template *tls.Config, addr string) *tls.Config {
	if template == nil {
		template = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if template.ServerName != "" {
		return template
	}
	c := template.Clone()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		c.ServerName = host
	}
	return c
}
