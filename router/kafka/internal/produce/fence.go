package produce

import (
	"fmt"
	"log/slog"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// errCut ends whatever was waited for when the producer is fenced. Its users
// turn it into fencedErr, which knows the cause.
var errCut = connect.ErrCut

// fence is how far a producer is on its way out. The order is fixed:
//
//	cause set    Enqueue refuses, senders send nothing new
//	cut closed   all connections are closed: nothing can leave any more
//	OnFence      the owner knows
//	told closed  fates other than Stored may be told
//
// Telling a fate any earlier would let the owner react to a failure, by trying
// the outputs again, while a later batch is still on its way out.
type fence struct {
	cause error         // guarded by Producer.mu
	cut   chan struct{} // closed when the connections are
	told  chan struct{} // closed when OnFence has returned
}

// Fence stops the producer at once and for good: nothing is sent after it
// returns, and what is queued fails. Of each partition at most one batch, the
// next one in order, can still be stored. Only the first call counts.
func (p *Producer) Fence(cause error) {
	if cause == nil {
		cause = client.ErrFenced
	}
	if p.shut(cause) {
		p.log.Warn("producer is fenced", slog.Any("cause", cause))
		p.cfg.OnFence(cause)
		close(p.fence.told)
	}
}

// shut takes the first two steps, and reports whether it was this call that
// took them. Another call waits until they are taken.
func (p *Producer) shut(cause error) bool {
	p.mu.Lock()
	first := p.fence.cause == nil
	if first {
		p.fence.cause = cause
	}
	p.mu.Unlock()
	if !first {
		<-p.fence.cut
		return false
	}
	p.gate.Shut()
	close(p.fence.cut)
	return true
}

// fencedErr is nil, or says that the producer is fenced and why.
func (p *Producer) fencedErr() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.refusal()
}

// refusal is fencedErr for those who hold mu.
func (p *Producer) refusal() error {
	if p.fence.cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", client.ErrFenced, p.fence.cause)
}

// isCut reports whether the connections are closed.
func (p *Producer) isCut() bool {
	select {
	case <-p.fence.cut:
		return true
	default:
		return false
	}
}
