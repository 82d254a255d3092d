package router

import "sync"

// mailbox takes calls from any goroutine, in order and without making it wait,
// for one goroutine that makes them. It is what callbacks of the producer write
// into: they may take no lock that is held over a call into the claim. What is in
// it is bounded by what its owner has under way.
type mailbox struct {
	wake chan struct{} // capacity 1: there is something in it

	mu    sync.Mutex
	calls []func() error
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// put adds a call.
func (m *mailbox) put(call func() error) {
	m.mu.Lock()
	m.calls = append(m.calls, call)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take empties the mailbox.
func (m *mailbox) take() []func() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}
