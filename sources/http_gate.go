package sources

import (
	"sync"

	"github.com/penstock/penstock/pipeline"
)

// httpGate lets requests in while the source runs, and knows when the last one has
// left.
type httpGate[T any] struct {
	mu     sync.Mutex
	emit   pipeline.Emit[T] // nil while it is closed
	inside sync.WaitGroup
}

func (g *httpGate[T]) open(emit pipeline.Emit[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.emit = emit
}

// enter returns nil where the gate is closed. Who has entered must leave.
func (g *httpGate[T]) enter() pipeline.Emit[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.emit == nil {
		return nil
	}
	g.inside.Add(1) // under the lock: after close nobody is added behind the wait
	return g.emit
}

func (g *httpGate[T]) leave() { g.inside.Done() }

// close lets nobody in any more and waits until all have left.
func (g *httpGate[T]) close() {
	g.mu.Lock()
	g.emit = nil
	g.mu.Unlock()
	g.inside.Wait()
}
