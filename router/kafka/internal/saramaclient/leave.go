package saramaclient

import (
	"context"
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
