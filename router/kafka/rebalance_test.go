package kafka_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// slowly is copied with a pause, so that a claim always has work.
func slowly(b *kafka.Batch, out *kafka.Outbox) error {
	select {
	case <-b.Claim.Context().Done():
	case <-time.After(time.Millisecond):
	}
	return copied(10)(b, out)
}

func TestMembersComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	cfg := quick(b.Addrs())
	cfg.MaxBatch = 20
	stop, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		for {
			select {
			case <-stop:
				return
			default:
				feed(t, b.Addrs(), 20, 10)
			}
		}
	}()
	var members []*member
	for n := 1; n <= 3; n++ {
		members = append(members, join(t, cfg, slowly))
		stable(t, b, n)
	}
	members[0].leave()
	stable(t, b, 2)
	members = append(members, join(t, cfg, slowly))
	stable(t, b, 3)
	members[1].leave()
	members[2].leave()
	stable(t, b, 1)
	close(stop)
	<-fed
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b), "nothing lost, disordered or repeated")
	for _, m := range members {
		require.Empty(t, m.failures())
	}
}

// A claim whose drain takes too long is given up: its handler's work is done
// by the next owner.
func TestARebalanceDoesNotWaitLongerThanTheDrain(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	cfg := quick(b.Addrs())
	cfg.DrainTimeout = 100 * time.Millisecond
	first := join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		once.Do(func() {
			close(begun)
			<-goOn
		})
		return copied(20)(b, out)
	})
	feed(t, b.Addrs(), 20, 20)
	<-begun
	join(t, quick(b.Addrs()), copied(20))
	until(t, func() bool { return len(first.failures()) > 0 }, "the drain does not end")
	close(goOn)
	caughtUp(t, b)
	f := look(t, b)
	require.Empty(t, f.lost)
	require.Empty(t, f.disordered)
	require.Empty(t, f.jumps)
	require.ErrorContains(t, first.failures()[0], "drain deadline")
}

// stable waits until the group has so many members, each with its claims.
func stable(t testing.TB, b *broker.Broker, members int) {
	t.Helper()
	_, err := b.Cluster().WaitGroupStable(within(t), group, members)
	require.NoError(t, err)
}

// Joining waits until the others have drained, longer than any answer else.
func TestJoiningOutlastsTheDrainOfOthers(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	first := join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		once.Do(func() {
			close(begun)
			<-goOn
		})
		return copied(20)(b, out)
	})
	feed(t, b.Addrs(), 20, 20)
	<-begun
	joining := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Observe: true, Count: -1})
	cfg := quick(b.Addrs())
	cfg.RequestTimeout = 300 * time.Millisecond
	second := join(t, cfg, copied(20))
	require.NoError(t, joining.Wait(within(t), 2), "one to get an id, one to join")
	select {
	case <-time.After(3 * cfg.RequestTimeout):
	case <-within(t).Done():
	}
	close(goOn)
	stable(t, b, 2)
	caughtUp(t, b)
	require.Equal(t, findings{}, look(t, b))
	require.Empty(t, first.failures())
	require.Empty(t, second.failures())
}
