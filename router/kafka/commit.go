package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// commitPoll is how often a commit is tried again, at most.
const (
	commitPoll    = 5 * time.Millisecond
	maxCommitPoll = 200 * time.Millisecond
)

// Commit commits now what is to be committed of the claim, and returns when the
// metadata that was set before the call is. It is for what must be known to who has
// the partition next before something is begun; what can wait goes with the commits
// that are made anyway. Other claims of the member that have something to commit are
// committed with it. It tries again until it succeeds: an error means that ctx has
// ended, or that the claim is over.
//
// However offsets are committed, alone or with a transaction, it keeps this promise:
// it does not wait for the next commit that is due but brings one about.
func (k *Claim) Commit(ctx context.Context) error {
	stored := make(chan struct{})
	k.OnCommitted(func() { close(stored) })
	wait := commitPoll
	for {
		select {
		case <-stored: // perhaps by another claim's commit
			return nil
		default:
		}
		_, err := k.sess.commit(ctx)
		if errors.Is(err, client.ErrStale) {
			k.fail(err)
		}
		select {
		case <-stored:
			return nil
		case <-time.After(wait):
		case <-k.ctx.Done():
			return fmt.Errorf("commit %s/%d: %w", k.Topic(), k.Partition(), context.Cause(k.ctx))
		case <-ctx.Done():
			return fmt.Errorf("commit %s/%d: %w", k.Topic(), k.Partition(), context.Cause(ctx))
		}
		wait = min(2*wait, maxCommitPoll)
	}
}
