package kafka_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// taken joins and returns the member's first claim, which is not read before
// goOn is called. Nor is any other claim of the member.
func taken(t *testing.T, cfg kafka.SubscriberConfig, w work) (m *member, k *kafka.Claim, goOn func()) {
	t.Helper()
	claims, release := make(chan *kafka.Claim, 100), make(chan struct{})
	cfg.OnClaim = func(ctx context.Context, k *kafka.Claim) error {
		claims <- k
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	m = join(t, cfg, w)
	select {
	case k = <-claims:
	case <-within(t).Done():
		require.FailNow(t, "no claim is given")
	}
	return m, k, func() { close(release) }
}

func TestNothingIsReadBeforeAClaimIsPrepared(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	feed(t, b.Addrs(), 1, 20)
	var prepared, early atomic.Bool
	cfg := quick(b.Addrs())
	cfg.SessionTimeout = time.Second
	beats := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Observe: true, Count: -1})
	m, k, goOn := taken(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		if !prepared.Load() {
			early.Store(true)
		}
		return copied(20)(b, out)
	})
	require.Zero(t, k.Start())
	require.Empty(t, k.Metadata())
	require.NoError(t, beats.Wait(within(t), 8), "longer than the session lasts without")
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "out"))
	prepared.Store(true)
	goOn()
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
	require.Empty(t, m.failures(), "it is a member all the time")
	require.False(t, early.Load())
}

func TestAClaimThatCannotBePreparedFailsTheMembership(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	feed(t, b.Addrs(), 1, 20)
	broken := errors.New("the store is broken")
	var calls atomic.Int32
	cfg := quick(b.Addrs())
	cfg.OnClaim = func(context.Context, *kafka.Claim) error {
		if calls.Add(1) < 3 {
			return broken
		}
		return nil
	}
	m := join(t, cfg, copied(20))
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
	require.Len(t, m.failures(), 2)
	require.ErrorIs(t, m.failures()[0], broken)
	require.ErrorContains(t, m.failures()[0], "begin the claim of in/0")
}

func TestAMemberLeavesWhileAClaimIsPrepared(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	m, k, _ := taken(t, quick(b.Addrs()), copied(20))
	m.leave()
	require.Empty(t, m.failures())
	require.Error(t, k.Context().Err())

	begun, never := make(chan struct{}, 1), make(chan struct{})
	defer close(never)
	cfg := quick(b.Addrs())
	cfg.DrainTimeout = 10 * tick
	cfg.OnClaim = func(context.Context, *kafka.Claim) error {
		begun <- struct{}{}
		<-never
		return nil
	}
	m = join(t, cfg, copied(20))
	<-begun
	m.leave() // who does not return is left behind
}

// A claim that is given up before it was read is no failure of the member, whose
// other claims go on.
func TestAClaimIsRevokedWhileItIsPrepared(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	feed(t, b.Addrs(), 20, 20)
	m, _, goOn := taken(t, quick(b.Addrs()), copied(20))
	second := join(t, quick(b.Addrs()), copied(20))
	stable(t, b, 2)
	until(t, func() bool { return len(committed(b)) == 2 }, "the second has no claims")
	goOn()
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
	require.Empty(t, m.failures())
	require.Empty(t, second.failures())
}

// A member that takes over many partitions asks once what is committed of all,
// beside what sarama asks of each.
func TestATakeoverAsksOnceForItsPositions(t *testing.T) {
	t.Parallel()
	const partitions = 12
	b := brokertest.New(t, brokertest.Topic("in", partitions), brokertest.Topic("out", 3))
	held := make(chan int, 100)
	cfg := quick(b.Addrs())
	cfg.OnAssign = func(claims map[string][]int32) { held <- len(claims["in"]) }
	holds := func(n int) {
		t.Helper()
		until(t, func() bool {
			select {
			case has := <-held:
				return has == n
			default:
				return false
			}
		}, "the member is not given its share")
	}
	join(t, cfg, copied(20))
	holds(partitions)
	other := join(t, quick(b.Addrs()), copied(20))
	holds(partitions / 2)
	feed(t, b.Addrs(), 20, 20)
	caughtUp(t, b)
	asked := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Observe: true, Count: -1})
	other.leave()
	holds(partitions)
	feed(t, b.Addrs(), 20, 20)
	caughtUp(t, b)
	require.LessOrEqual(t, asked.Hits(), partitions/2+1)
}
