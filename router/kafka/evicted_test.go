package kafka_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka"
)

// A commit that the group refuses means that the claims are another member's.
func TestARefusedCommitGivesTheWorkUp(t *testing.T) {
	t.Parallel()
	for _, fault := range []*kerr.Error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress} {
		t.Run(fault.Message, func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			m := join(t, quick(b.Addrs()), copied(20))
			feed(t, b.Addrs(), 20, 20)
			caughtUp(t, b)
			b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: fault})
			feed(t, b.Addrs(), 20, 20)
			until(t, func() bool { return len(m.failures()) > 0 }, "it goes on")
			caughtUp(t, b)
			requireRewindsOnly(t, look(t, b))
			require.ErrorContains(t, m.failures()[0], "the group has moved on")
		})
	}
}

// An evicted member's handlers are told at once: to drain would be to do what
// another member does already.
func TestAnEvictedMemberDoesNotDrain(t *testing.T) {
	t.Parallel()
	for _, fault := range []*kerr.Error{kerr.IllegalGeneration, kerr.UnknownMemberID} {
		t.Run(fault.Message, func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			gaveUp := make(chan error, 1)
			begun := make(chan struct{})
			var once sync.Once
			cfg := quick(b.Addrs())
			cfg.RebalanceTimeout, cfg.DrainTimeout = 10*patience, 5*patience
			m := join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
				first := false
				once.Do(func() { first = true })
				if first {
					close(begun)
					<-b.Claim.Context().Done()
					gaveUp <- context.Cause(b.Claim.Context())
				}
				return copied(20)(b, out)
			})
			feed(t, b.Addrs(), 20, 20)
			<-begun
			b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: fault, Count: 2})
			select {
			case err := <-gaveUp:
				require.ErrorIs(t, err, kafka.ErrClaimLost)
			case <-time.After(patience):
				t.Fatal("the handler is not told")
			}
			caughtUp(t, b)
			requireRewindsOnly(t, look(t, b))
			require.NotEmpty(t, m.failures())
		})
	}
}

// A member that hears nothing of its group for the session timeout stops: it
// cannot know whether its claims are its own still.
func TestASilentCoordinatorEndsTheWork(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	cfg := quick(b.Addrs())
	cfg.SessionTimeout = time.Second
	m := join(t, cfg, copied(20))
	feed(t, b.Addrs(), 20, 20)
	caughtUp(t, b)
	quiet := hush(b, kmsg.OffsetCommit, kmsg.Heartbeat)
	defer quiet.end()
	feed(t, b.Addrs(), 20, 20)
	until(t, func() bool { return len(m.failures()) > 0 }, "it goes on")
	require.ErrorContains(t, errors.Join(m.failures()...), "longer than the session timeout")
	quiet.end()
	caughtUp(t, b)
	requireRewindsOnly(t, look(t, b))
}

// A coordinator that takes long for commits answers heartbeats: they do not wait behind
// them, and the member is one still.
func TestAHeartbeatDoesNotWaitBehindACommit(t *testing.T) {
	t.Parallel()
	for name, transactions := range map[string]*kafka.TransactionsConfig{"at least once": nil, "exactly once": {Timeout: patience}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			cfg := quick(b.Addrs())
			cfg.Transactions = transactions
			claims := make(chan *kafka.Claim, 100)
			cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
				claims <- k
				return nil
			}
			m := join(t, cfg, copied(20))
			k := <-claims
			key := kmsg.OffsetCommit
			if transactions != nil {
				key = kmsg.TxnOffsetCommit
			}
			quiet := hush(b, key)
			defer quiet.end()
			feed(t, b.Addrs(), 20, 20)
			until(t, func() bool { return quiet.unsaid.Load() > 0 }, "nothing is committed")
			for range 3 {
				require.NoError(t, k.Heartbeat(t.Context()))
			}
			quiet.end()
			caughtUp(t, b)
			require.Empty(t, m.failures())
			require.Equal(t, findings{}, look(t, b))
		})
	}
}

// What the coordinator is only late with is asked for again.
func TestCommitsOutlastTheCoordinatorsFaults(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	cfg := quick(b.Addrs())
	cfg.SessionTimeout = patience // on a busy machine the faults must not look like an eviction
	m := join(t, cfg, copied(20))
	for _, fault := range []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.RequestTimedOut} {
		h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: fault, Count: 2})
		feed(t, b.Addrs(), 20, 20)
		require.NoError(t, h.Wait(within(t), 2))
		require.Empty(t, look(t, b).committed)
		caughtUp(t, b)
	}
	require.Equal(t, findings{}, look(t, b))
	require.Empty(t, m.failures())
}

// requireRewindsOnly lets repeats pass, and nothing else.
func requireRewindsOnly(t testing.TB, f findings) {
	t.Helper()
	require.Empty(t, f.lost)
	require.Empty(t, f.disordered)
	require.Empty(t, f.jumps)
}
