package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka"
)

// Commit does not wait for the next commit that is due, and tries again.
func TestACommitIsBroughtAbout(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	cfg := quick(b.Addrs())
	cfg.CommitInterval = time.Hour
	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "in", Err: kerr.GroupAuthorizationFailed, Count: 2})
	_, k, goOn := taken(t, cfg, copied(20))
	require.NoError(t, k.SetMetadata("now"))
	require.NoError(t, k.Commit(within(t)))
	require.NoError(t, h.Wait(within(t), 2))
	_, found := beside(b)
	require.Equal(t, "now", found)
	require.NoError(t, k.Commit(within(t)), "there is nothing to do")
	goOn()
}

func TestACommitEndsWithItsClaim(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	cfg := quick(b.Addrs())
	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "in", Err: kerr.GroupAuthorizationFailed, Count: -1})
	_, k, goOn := taken(t, cfg, copied(20))
	goOn()
	require.NoError(t, k.SetMetadata("never"))
	ended, end := context.WithCancel(t.Context())
	end()
	require.ErrorIs(t, k.Commit(ended), context.Canceled)
	committed := make(chan error, 1)
	go func() { committed <- k.Commit(within(t)) }()
	require.NoError(t, h.Wait(within(t), 2))
	k.Fail(errors.New("enough"))
	require.ErrorIs(t, <-committed, kafka.ErrClaimLost)
	h.Remove()
}

// What a claim has to say when it is released is in its last commit.
func TestAClaimIsToldOfItsRelease(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func([]string) kafka.SubscriberConfig{"at least once": quick, "exactly once": exactly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := oneToOne(t)
			cfg := configure(b.Addrs())
			cfg.OnRelease = func(k *kafka.Claim) { _ = k.SetMetadata("released") }
			m, k, goOn := taken(t, cfg, copied(20))
			done := k.Work()
			goOn()
			left := m.closing()
			<-k.Draining()
			_, found := beside(b)
			require.Empty(t, found, "work is under way")
			done()
			<-left
			_, found = beside(b)
			require.Equal(t, "released", found)
		})
	}
}

// The parts of a batch are batches of their own with the same entries.
func TestABatchHasParts(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	feed(t, b.Addrs(), 1, 20)
	join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			part := b.Part(i, i+1)
			if part.Entry(0) != b.Entry(i) || part.Records[0].Offset != b.Records[i].Offset {
				return errors.New("a part has other entries")
			}
			if err := copied(20)(part, out); err != nil {
				return err
			}
		}
		return nil
	})
	caughtUp(t, b)
}
