package saramaclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// open makes a connection that is ready for requests. Sarama does it, since it
// knows the ways to authenticate; then the connection is taken from it, while
// nothing is in flight.
func open(template *sarama.Config, addr string) (net.Conn, error) {
	conf := *template // sarama changes it where it negotiates
	l := &lender{
		next:    &net.Dialer{Timeout: conf.Net.DialTimeout, KeepAlive: conf.Net.KeepAlive, LocalAddr: conf.Net.LocalAddr},
		timeout: conf.Net.DialTimeout,
	}
	if conf.Net.Proxy.Enable {
		l.next = conf.Net.Proxy.Dialer
	}
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, l
	if conf.Net.TLS.Enable {
		l.tls = serverTLS(conf.Net.TLS.Config, addr)
		conf.Net.TLS.Enable, conf.Net.TLS.Config = false, nil
	}
	broker := sarama.NewBroker(addr)
	if err := broker.Open(&conf); err != nil {
		return nil, err
	}
	ok, err := broker.Connected() // returns when Open is through
	if err == nil && !ok {
		err = sarama.ErrNotConnected
	}
	if err == nil {
		l.lent.keep.Store(true)
	}
	_ = broker.Close() // what sarama has beside the connection
	if err != nil {
		return nil, err
	}
	return l.lent.Conn, nil
}

type dialer interface {
	Dial(network, addr string) (net.Conn, error)
}

// lender is a dialer that lends sarama one connection, encrypted if that is asked
// for.
type lender struct {
	next    dialer
	tls     *tls.Config   // nil: not encrypted
	timeout time.Duration // of the TLS handshake

	lent *loan
}

// Dial implements the dialer of sarama's configuration.
func (l *lender) Dial(network, addr string) (net.Conn, error) {
	conn, err := l.next.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	l.lent = &loan{Conn: conn}
	if l.tls == nil {
		return l.lent, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	encrypted := tls.Client(conn, l.tls)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
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
