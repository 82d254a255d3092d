package kafka_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/kafka"
)

// A member whose SyncGroup is refused because the next rebalance has begun joins
// that, be it the leader, for which the others wait, or not.
func TestARefusedSyncGroupIsFollowedByAJoin(t *testing.T) {
	t.Parallel()
	for name, refusesFirst := range map[string]bool{"of the leader": true, "of another member": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			cfg := quick(b.Addrs())
			cfg.RebalanceTimeout = 10 * patience // a member that waits for it has lost the test
			join(t, cfg, copied(20))
			feed(t, b.Addrs(), 20, 1)
			caughtUp(t, b)
			info := b.Cluster().GroupInfo(group)
			require.Len(t, info.Members, 1)
			first := info.Members[0].MemberID // leads as long as it is there
			var refused atomic.Bool
			h := b.Cluster().Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.SyncGroup}, Err: kerr.RebalanceInProgress,
				When: func(r kmsg.Request) bool {
					return (r.(*kmsg.SyncGroupRequest).MemberID == first) == refusesFirst && !refused.Swap(true)
				},
			})
			m := join(t, cfg, copied(20))
			require.NoError(t, h.Wait(within(t), 1))
			until(t, func() bool {
				info := b.Cluster().GroupInfo(group)
				return len(info.Members) == 2 && info.State == "Stable"
			}, "the members have not got together")
			feed(t, b.Addrs(), 20, 20)
			caughtUp(t, b)
			require.Empty(t, m.failures())
		})
	}
}

// While sarama waits before it joins again it sends no heartbeat. If that outlasted
// the session the leader would be evicted, and the embedded broker then forgets those who
// wait for its SyncGroup: they would wait until their connections time out.
func TestTheWaitBeforeAJoinIsShorterThanTheSession(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		session := time.Duration(rapid.Int64Range(int64(50*time.Millisecond), int64(30*time.Minute)).Draw(t, "session"))
		c := kafka.SubscriberConfig{SessionTimeout: session}.Member()
		require.LessOrEqual(t, c.Consumer.Group.Rebalance.Retry.Backoff+c.Consumer.Group.Heartbeat.Interval, session/4)
	})
}
