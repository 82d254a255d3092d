package produce

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// opened is a connection that is ready for requests: made, encrypted and
// authenticated as the template asks.
type opened struct {
	net.Conn           // above TLS, if there is any
	under    *gateConn // below it
}

// open makes a connection. Sarama does it, since it knows the ways to
// authenticate; then the connection is taken from it, while nothing is in
// flight. Making one can run code of the user (a token provider, a proxy), so
// a fence does not wait for it.
func (s *sender) open() (opened, error) {
	l := &lender{gate: s.p.gate, timeout: s.p.conn.Net.DialTimeout}
	conf := *s.p.conn // sarama changes it where it negotiates
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, l
	if conf.Net.TLS.Enable {
		l.tls = serverTLS(conf.Net.TLS.Config, s.addr)
		conf.Net.TLS.Enable, conf.Net.TLS.Config = false, nil
	}
	broker := sarama.NewBroker(s.addr)
	if err := broker.Open(&conf); err != nil {
		return opened{}, err
	}
	connected := make(chan error)
	go func() {
		ok, err := broker.Connected() // returns when Open is through
		if err == nil && !ok {
			err = sarama.ErrNotConnected
		}
		select {
		case connected <- err:
		case <-s.p.fence.cut:
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
			return opened{}, err
		}
		return opened{l.lent.Conn, l.under}, nil
	case <-s.p.fence.cut:
		return opened{}, errCut
	}
}

// lender is a dialer that lends sarama one connection of the gate, encrypted
// if that is asked for.
type lender struct {
	gate    *gate
	tls     *tls.Config   // nil: not encrypted
	timeout time.Duration // of the TLS handshake

	under *gateConn
	lent  *loan
}

// Dial implements the dialer of sarama's configuration.
func (l *lender) Dial(network, addr string) (net.Conn, error) {
	under, err := l.gate.dial(network, addr)
	if err != nil {
		return nil, err
	}
	l.under, l.lent = under, &loan{Conn: under}
	if l.tls == nil {
		return l.lent, nil
	}
	ctx, cancel := context.WithTimeout(l.gate.open, l.timeout)
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
