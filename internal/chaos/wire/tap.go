package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Tap passes connections on, and listens.
type Tap struct {
	traffic  *Traffic
	upstream string
	listener net.Listener
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil: closed
}

// Listen begins to pass on what connects to an address. Close ends it.
func Listen(ctx context.Context, address, upstream string, traffic *Traffic) (*Tap, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for connections to %s: %w", upstream, err)
	}
	t := &Tap{traffic: traffic, upstream: upstream, listener: listener, conns: map[net.Conn]bool{}}
	t.running.Go(t.accept)
	return t, nil
}

// Address is where the tap listens.
func (t *Tap) Address() string { return t.listener.Addr().String() }

// Close ends the tap and its connections.
func (t *Tap) Close() error {
	err := t.listener.Close()
	t.mu.Lock()
	conns := t.conns
	t.conns = nil
	t.mu.Unlock()
	for conn := range conns {
		err = errors.Join(err, closed(conn))
	}
	t.running.Wait()
	return err
}

func (t *Tap) accept() {
	for {
		client, err := t.listener.Accept()
		if err != nil {
			return // it is closed
		}
		t.running.Go(func() { t.pass(client) })
	}
}

// pass connects a client with the broker until one of them ends it.
func (t *Tap) pass(client net.Conn) {
	broker, err := new(net.Dialer).DialContext(context.Background(), "tcp", t.upstream)
	if err != nil {
		_ = client.Close() // as the broker would
		return
	}
	if !t.keep(client, broker) {
		_, _ = client.Close(), broker.Close()
		return
	}
	c := &conversation{traffic: t.traffic, asked: map[int32]request{}}
	var both sync.WaitGroup
	end := func() {
		c.end()
		_, _ = client.Close(), broker.Close()
	}
	both.Go(func() { defer end(); relay(client, broker, &frames{take: c.request}) })
	both.Go(func() { defer end(); relay(broker, client, &frames{take: c.answer}) })
	both.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, client)
	delete(t.conns, broker)
}

// keep tells whether the tap is still open.
func (t *Tap) keep(conns ...net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, conn := range conns {
		if t.conns == nil {
			return false
		}
		t.conns[conn] = true
	}
	return true
}

// relayed is how much is passed on at a time.
const relayed = 32 << 10

// relay passes on what comes, which is listened to before.
func relay(from, to net.Conn, heard *frames) {
	b := make([]byte, relayed)
	for {
		n, err := from.Read(b)
		heard.feed(b[:n])
		if _, errTo := to.Write(b[:n]); err != nil || errTo != nil {
			return
		}
	}
}

func closed(conn net.Conn) error {
	if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
