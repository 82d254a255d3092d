package connect

import (
	"context"
	"sync"

	"github.com/IBM/sarama"
)

// Line is a connection that its owner shares with nobody. A broker serves the
// requests of a connection one by one: behind another's commit, which is answered
// when all replicas have it, one that is urgent would wait. It is made when it is
// first asked for, and again when it was lost or leads elsewhere. Safe for concurrent
// use.
type Line struct {
	conf *sarama.Config
	gate *Gate

	mu     sync.Mutex
	broker *sarama.Broker // nil: not connected
	ending sync.WaitGroup // connections that are being closed
}

// NewLine makes a line through a gate, which may have others: who shuts it cuts the
// line. Nothing is connected yet.
func NewLine(template *sarama.Config, gate *Gate) *Line {
	return &Line{conf: template, gate: gate}
}

// To returns the connection to the broker at an address. The one to another address
// is closed.
func (l *Line) To(addr string) (*sarama.Broker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate.IsShut() {
		return nil, ErrCut
	}
	if l.broker != nil && l.broker.Addr() == addr {
		return l.broker, nil
	}
	l.disconnect()
	conf := *l.conf // sarama changes it where it negotiates
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, l.gate
	broker := sarama.NewBroker(addr)
	if err := broker.Open(&conf); err != nil {
		return nil, err
	}
	l.broker = broker
	return broker, nil
}

// Lost gives up a connection that has failed, so that the next call makes another.
func (l *Line) Lost(broker *sarama.Broker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broker == broker {
		l.disconnect()
	}
}

// disconnect leaves the connection to what closes it: that waits for answers, and
// nobody may have to wait for it, least of all whoever shuts the gate. The caller
// holds the lock.
func (l *Line) disconnect() {
	if l.broker != nil {
		broker := l.broker
		l.broker = nil
		l.ending.Go(func() { _ = broker.Close() }) // fails where the connection has failed
	}
}

// Close disconnects, and returns when all that the line had going on has ended, or
// after a few seconds: with the gate shut it ends at once, but for code of the user
// that gives a token.
func (l *Line) Close() {
	l.mu.Lock()
	l.disconnect()
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.ending.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
