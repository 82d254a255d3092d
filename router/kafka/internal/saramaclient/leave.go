package saramaclient

import (
	"context"
	"io"
	"time"
)

// rejoinPoll is how often a member that is to leave looks whether it may.
const rejoinPoll = 5 * time.Millisecond

// awaitRejoined waits, at most for limit, while a session is about to be given its
// partitions anew. The group may have begun a generation meanwhile that sarama has
// not taken over; if the session ended now it never would, and the coordinator
// would refuse the last commit: what is done since the one before would be done
// again by others.
func (h *handler) awaitRejoined(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	poll := time.NewTicker(rejoinPoll)
	defer poll.Stop()
	for h.rejoining() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// rejoining tells whether there is a session, and it is about to be given its
// partitions anew.
func (h *handler) rejoining() bool {
	h.mu.Lock()
	sess := h.current
	h.mu.Unlock()
	return sess != nil && sess.Rejoining()
}

// hangUp closes the member's connections when it is to end, serves no claim any more,
// and the coordinator has let it wait for longer than patience after that. sarama waits
// for answers that may come as late as a rebalance takes, or never: what was asked for
// before, and what says that the member leaves. It holds nothing any more, and the
// group does without it when its session is over. ended is closed when it has left.
func (g *Group) hangUp(ctx context.Context, ended <-chan struct{}, conn io.Closer, patience time.Duration) {
	select {
	case <-ctx.Done():
	case <-ended:
		return
	}
	poll := time.NewTicker(rejoinPoll)
	defer poll.Stop()
	for until := time.Now().Add(patience); time.Now().Before(until); {
		select {
		case <-poll.C:
		case <-ended:
			return
		}
		if g.serving.Load() > 0 { // it is a member for as long as a claim drains
			until = time.Now().Add(patience)
		}
	}
	_ = conn.Close()
}
