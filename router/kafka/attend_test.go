package kafka

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// attended is a session whose commits and heartbeats are answered as a test says.
type attended struct {
	client.Session

	ctx    context.Context //nolint:containedctx // the session's
	commit func(context.Context) error
	beat   func(context.Context) error
	beats  atomic.Int64
}

func (a *attended) Context() context.Context { return a.ctx }
func (a *attended) Rejoining() bool          { return false }
func (a *attended) Commit(ctx context.Context, _ []client.Offset) error {
	return a.commit(ctx)
}

func (a *attended) Heartbeat(ctx context.Context) error {
	a.beats.Add(1)
	return a.beat(ctx)
}

func unanswered(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func answered(context.Context) error { return nil }

// attend runs a session that always has something to commit, for a while, and returns
// why it has failed.
func attend(t *testing.T, a *attended, lasts time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.ctx = ctx
	sub := &subscription{
		cfg: &SubscriberConfig{CommitInterval: 100 * time.Millisecond, SessionTimeout: 10 * time.Second},
		log: slog.New(slog.DiscardHandler),
	}
	s := newSession(sub, a, nil, nil)
	k := &Claim{sess: s, c: revokedClaim{}, ledger: newLedger(), committed: -1, cancel: func(error) {}}
	require.NoError(t, s.add(k))
	k.ledger.settle([]settlement{{entry: k.ledger.openAll([]Record{{Offset: 7}})}})
	s.attend()
	time.Sleep(lasts) //nolint:forbidigo // the bubble's clock
	s.end()
	s.attending.Wait()
	return s.failed
}

func TestAMemberThatCannotCommitIsOneWhileHeartbeatsAreAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &attended{commit: unanswered, beat: answered}
		require.NoError(t, attend(t, a, 40*time.Second), "four session timeouts")
		require.GreaterOrEqual(t, a.beats.Load(), int64(15))
		require.ErrorContains(t, attend(t, a, 2*maxUncommitted), "no offset could be committed", "but not for ever")
	})
}

func TestASessionEndsWhenNothingIsAnsweredForTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var ended time.Time
		a := &attended{commit: unanswered, beat: func(ctx context.Context) error {
			err := unanswered(ctx)
			ended = time.Now()
			return err
		}}
		require.ErrorContains(t, attend(t, a, time.Minute), "longer than the session timeout")
		require.Equal(t, 10*time.Second, ended.Sub(begun))
	})
}

func TestAnAnswerThatTheMemberIsNoneEndsTheSession(t *testing.T) {
	t.Parallel()
	stale := func(context.Context) error { return client.ErrStale }
	for name, a := range map[string]*attended{"commit": {commit: stale, beat: answered}, "heartbeat": {commit: unanswered, beat: stale}} {
		synctest.Test(t, func(t *testing.T) {
			require.ErrorIs(t, attend(t, a, 5*time.Second), client.ErrStale, name)
		})
	}
}

// What is committed is an answer too: no heartbeat is sent beside it.
func TestCommitsAreHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := func(context.Context) error {
			return errors.New("an offset was committed, and counts for nothing")
		}
		a := &attended{commit: answered, beat: late}
		require.NoError(t, attend(t, a, 2150*time.Millisecond))
		require.Zero(t, a.beats.Load())
	})
}
