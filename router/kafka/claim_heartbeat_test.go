package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka"
)

// claimed joins a member that hands its claims out as they begin.
func claimed(t *testing.T, cfg kafka.SubscriberConfig) (*member, <-chan *kafka.Claim) {
	t.Helper()
	claims := make(chan *kafka.Claim, 100)
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		claims <- k
		return nil
	}
	return join(t, cfg, copied(20)), claims
}

func TestAHeartbeatTellsWhetherTheClaimIsTheMembers(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	m, claims := claimed(t, quick(b.Addrs()))
	k := <-claims
	require.NoError(t, k.Heartbeat(t.Context()))

	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.NotCoordinator, TopLevel: true, Count: 2})
	require.NoError(t, k.Heartbeat(t.Context()), "it asks again who the coordinator is")
	h.Remove()

	quiet := hush(b, kmsg.Heartbeat)
	defer quiet.end()
	ctx, cancel := context.WithTimeout(t.Context(), 10*tick)
	defer cancel()
	require.ErrorIs(t, k.Heartbeat(ctx), context.DeadlineExceeded)
	require.NoError(t, k.Context().Err(), "that does not end the claim by itself")
	quiet.end()

	m.leave()
	require.Error(t, k.Heartbeat(t.Context()), "it has left")
}

// A member that the group has thrown out learns it by a heartbeat, while others have the
// claim already.
func TestAHeartbeatOfAnEvictedMemberIsRefused(t *testing.T) {
	t.Parallel()
	for _, fault := range []*kerr.Error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.FencedInstanceID} {
		t.Run(fault.Message, func(t *testing.T) {
			t.Parallel()
			b := oneToOne(t)
			cfg := quick(b.Addrs())
			_, claims := claimed(t, cfg)
			k := <-claims
			b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: fault, TopLevel: true, Count: -1})
			err := k.Heartbeat(within(t))
			require.Error(t, err)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "make sure of the claim of in/0")
		})
	}
}

// While the group hands out its partitions anew a heartbeat waits, and then it tells. A
// claim that stays goes with each generation, one that is taken away keeps the one that
// did so: a commit of it is refused once another member has it.
func TestAHeartbeatWaitsForTheNewGeneration(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	m, claims := claimed(t, quick(b.Addrs()))
	mine := map[int32]*kafka.Claim{}
	for range 4 {
		k := <-claims
		mine[k.Partition()] = k
	}
	generation := func() int32 { return b.Cluster().GroupInfo(group).Epoch }
	first := generation()
	for _, k := range mine {
		require.Equal(t, first, k.Generation())
	}
	quiet := hush(b, kmsg.SyncGroup)
	defer quiet.end()
	_, theirs := claimed(t, quick(b.Addrs()))
	until(t, func() bool { return quiet.unsaid.Load() > 0 && mine[0].Rejoining() }, "it does not join again")
	told := make(chan error, len(mine))
	for _, k := range mine {
		go func() { told <- k.Heartbeat(within(t)) }()
	}
	select {
	case err := <-told:
		require.Failf(t, "it does not wait", "%v", err)
	case <-time.After(5 * tick): // long enough for an answer
	}
	quiet.end()
	moved := map[int32]bool{(<-theirs).Partition(): true, (<-theirs).Partition(): true}
	require.Len(t, moved, 2)
	for range mine {
		err := <-told
		t.Log("each has an answer; what it is depends on when the claim was taken away:", err)
	}
	for p, k := range mine {
		if moved[p] {
			require.ErrorIs(t, k.Heartbeat(within(t)), kafka.ErrClaimLost)
			require.Greater(t, k.Generation(), first)
			require.Less(t, k.Generation(), generation(), "the one that took it away, not the one that gave it to another")
			continue
		}
		until(t, func() bool { return k.Generation() == generation() }, "it stays behind")
		require.NoError(t, k.Heartbeat(within(t)))
	}
	require.Empty(t, m.failures())
}
