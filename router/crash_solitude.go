package router

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// solitude lets one message be alone at work in the process: no other attempt of any
// stage is under way then. So when the process ends it is known of which message.
//
// Who begins an attempt shows it in its activity first, and then looks whether the
// doors are closed. Who wants to be alone closes them first, and then looks for
// activities. So one of both sees the other.
type solitude struct {
	wary atomic.Int64 // claims that have to look before they begin: while there are none it costs one load

	turn   chan struct{} // capacity 1: who has it is, or is about to be, alone
	closed atomic.Bool
	mu     sync.Mutex
	opened chan struct{} // closed when the doors open
	busy   func(but *activity) bool
}

// newSolitude makes one. busy tells whether an attempt is under way that is not but's.
func newSolitude(busy func(but *activity) bool) *solitude {
	return &solitude{turn: make(chan struct{}, 1), opened: make(chan struct{}), busy: busy}
}

// pass waits while another message is alone at work. It is false when stop is closed
// first.
func (s *solitude) pass(at *activity, stop <-chan struct{}) bool {
	for s.closed.Load() {
		s.mu.Lock()
		opened := s.opened
		s.mu.Unlock()
		if s.closed.Load() {
			r := at.record.Load()
			at.rest()
			select {
			case <-opened:
			case <-stop:
				return false
			}
			at.begin(r, clock())
		}
	}
	return true
}

// quietPoll is how often it is looked whether all others are at rest.
const (
	quietPoll    = 100 * time.Microsecond
	maxQuietPoll = 20 * time.Millisecond
)

// enter waits until nothing else is at work, and keeps it so until leave is called,
// or ctx ends. It is false when stop is closed first.
func (s *solitude) enter(ctx context.Context, at *activity, stop <-chan struct{}) (leave func(), ok bool) {
	at.rest()
	select {
	case s.turn <- struct{}{}:
	case <-stop:
		return nil, false
	}
	s.closed.Store(true)
	open := sync.OnceFunc(s.open)
	// A filter that does not return keeps nobody waiting for longer than that.
	forget := context.AfterFunc(ctx, open)
	leave = func() { forget(); open() }
	for wait := quietPoll; s.busy(at); wait = min(2*wait, maxQuietPoll) {
		if !sleep(wait, nil, stop) {
			leave()
			return nil, false
		}
	}
	return leave, true
}

// open lets the others go on.
func (s *solitude) open() {
	s.mu.Lock()
	s.closed.Store(false)
	close(s.opened)
	s.opened = make(chan struct{})
	s.mu.Unlock()
	<-s.turn
}
