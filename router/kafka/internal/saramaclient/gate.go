package saramaclient

import (
	"context"
	"sync"
	"sync/atomic"
)

// gate is shut while the member waits to be given its partitions anew. With a
// cooperative strategy claims run on meanwhile, but sarama sends no heartbeat: a
// member that is evicted while it waits would go on with what belongs to
// another. So no message is begun while the gate is shut, and nothing is
// committed: the generation may be an old one any moment.
type gate struct {
	isShut     atomic.Bool
	generation atomic.Int32 // of the last assignment

	mu     sync.Mutex
	opened chan struct{} // closed when the gate is open
}

func newGate() *gate {
	g := &gate{opened: make(chan struct{})}
	close(g.opened)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isShut.Swap(true) {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open(generation int32) {
	g.generation.Store(generation)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut.Swap(false) {
		close(g.opened)
	}
}

// pass waits while the gate is shut. An error is the context's.
func (g *gate) pass(ctx context.Context) error {
	if !g.isShut.Load() {
		return nil
	}
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
