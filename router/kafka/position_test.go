package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/router/kafka"
)

// beside asks for what is committed of partition 0 of topic "in", with the
// offset; the offset is -1 where nothing is.
func beside(b *broker.Broker) (offset int64, metadata string) {
	if info := b.Cluster().GroupInfo(group); info != nil {
		if c, ok := info.Commits["in"][0]; ok {
			return c.Offset, c.Metadata
		}
	}
	return -1, ""
}

func TestAClaimStartsWhereItsReadingDoes(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	feed(t, b.Addrs(), 1, 20)
	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 7))
	first := make(chan int64, 100)
	noted := func(b *kafka.Batch, out *kafka.Outbox) error {
		first <- b.Records[0].Offset
		return copied(20)(b, out)
	}
	m, k, goOn := taken(t, quick(b.Addrs()), noted)
	require.EqualValues(t, 7, k.Start(), "nothing is committed: where the log begins")
	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 7))
	goOn()
	require.EqualValues(t, 7, <-first)
	caughtUp(t, b)
	m.leave()
	for len(first) > 0 {
		<-first
	}

	feed(t, b.Addrs(), 1, 5)
	_, k, goOn = taken(t, quick(b.Addrs()), noted)
	require.EqualValues(t, 20, k.Start(), "what is committed")
	goOn()
	require.EqualValues(t, 20, <-first)
}

func TestAClaimStartsBehindALostRange(t *testing.T) {
	t.Parallel()
	for choice, want := range map[kafka.LostRange]int64{kafka.OldestOnLostRange: 30, kafka.NewestOnLostRange: 40} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			b := oneToOne(t)
			m, k, goOn := taken(t, quick(b.Addrs()), copied(20))
			require.NoError(t, k.SetMetadata("kept"))
			goOn()
			feed(t, b.Addrs(), 1, 20)
			caughtUp(t, b)
			m.leave()
			feed(t, b.Addrs(), 1, 20)
			require.NoError(t, b.Cluster().DeleteRecords("in", 0, 30))
			cfg := quick(b.Addrs())
			cfg.LostRange = choice
			first := make(chan int64, 100)
			_, k, goOn = taken(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
				first <- b.Records[0].Offset
				return copied(20)(b, out)
			})
			require.Equal(t, want, k.Start())
			require.Equal(t, "kept", k.Metadata())
			goOn()
			feed(t, b.Addrs(), 1, 1)
			require.Equal(t, want, <-first)
		})
	}
}

// Before anything is read, and when nothing more comes, a change of the
// metadata is committed by itself.
func TestMetadataAreCommittedByThemselves(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	feed(t, b.Addrs(), 1, 20)
	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 7))
	set := func(k *kafka.Claim, metadata string, offset int64) {
		require.NoError(t, k.SetMetadata(metadata))
		stored := make(chan struct{})
		k.OnCommitted(func() { close(stored) })
		select {
		case <-stored:
		case <-within(t).Done():
			require.FailNow(t, "not committed", metadata)
		}
		at, found := beside(b)
		require.Equal(t, metadata, found)
		require.Equal(t, offset, at)
	}
	m, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	set(k, "one", 7)
	set(k, "two", 7)
	goOn()
	caughtUp(t, b)
	set(k, "three", 20)
	told := false
	k.OnCommitted(func() { told = true })
	require.True(t, told, "at once, where it is committed")
	require.Empty(t, k.Metadata(), "what was found at the beginning")
	require.ErrorContains(t, k.SetMetadata(strings.Repeat("x", kafka.MaxMetadata+1)), "4097 bytes")
	set(k, strings.Repeat("x", kafka.MaxMetadata), 20)
	require.NoError(t, k.SetMetadata("last"))
	m.leave()
	_, found := beside(b)
	require.Equal(t, "last", found, "with the last commit")

	commits := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Observe: true, Count: -1})
	_, k, goOn = taken(t, quick(b.Addrs()), copied(20))
	require.Equal(t, "last", k.Metadata())
	require.NoError(t, k.SetMetadata("last"))
	goOn()
	feed(t, b.Addrs(), 1, 5)
	caughtUp(t, b)
	at, found := beside(b)
	require.EqualValues(t, 25, at)
	require.Equal(t, "last", found, "a commit keeps them")
	require.LessOrEqual(t, commits.Hits(), 2, "of metadata that are the same none is made")
}

// A member that knows nothing of metadata does not wipe out what others keep.
func TestMetadataOutliveMembersWithoutAny(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	m, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	require.NoError(t, k.SetMetadata("kept"))
	goOn()
	m.leave()
	m = join(t, quick(b.Addrs()), copied(20))
	feed(t, b.Addrs(), 1, 20)
	caughtUp(t, b)
	m.leave()
	at, found := beside(b)
	require.EqualValues(t, 20, at)
	require.Equal(t, "kept", found)
}

func TestACommitThatFailsIsNoCommit(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "in", Err: kerr.GroupAuthorizationFailed, Count: -1})
	_, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	goOn()
	require.NoError(t, k.SetMetadata("late"))
	var told atomic.Int32
	k.OnCommitted(func() { told.Add(1) })
	require.NoError(t, h.Wait(within(t), 3))
	require.Zero(t, told.Load())
	h.Remove()
	until(t, func() bool { return told.Load() == 1 }, "nobody is told of the commit")
	_, found := beside(b)
	require.Equal(t, "late", found)
}

func TestNobodyIsToldOfACommitAfterTheClaim(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "in", Err: kerr.GroupAuthorizationFailed, Count: -1})
	m, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	var told atomic.Int32
	require.NoError(t, k.SetMetadata("never stored"))
	k.OnCommitted(func() { told.Add(1) })
	k.Fail(errors.New("enough"))
	goOn()
	until(t, func() bool { return len(m.failures()) > 0 }, "the membership goes on")
	h.Remove()
	feed(t, b.Addrs(), 1, 20)
	caughtUp(t, b) // by the next membership
	at, found := beside(b)
	require.EqualValues(t, 20, at)
	require.Empty(t, found)
	require.Zero(t, told.Load())
}

// What a claim finds is what its last owner left, also where it is added to a
// session, or comes back to one.
func TestMetadataGoWithTheClaim(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	type found struct {
		by, metadata string
		start        int64
	}
	finds := [4]chan found{}
	for p := range finds {
		finds[p] = make(chan found, 100)
	}
	named := func(name string) kafka.SubscriberConfig {
		cfg := quick(b.Addrs())
		cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
			finds[k.Partition()] <- found{name, k.Metadata(), k.Start()}
			return k.SetMetadata(fmt.Sprintf("%s had %d", name, k.Partition()))
		}
		return cfg
	}
	first := join(t, named("first"), copied(20))
	feed(t, b.Addrs(), 20, 20)
	caughtUp(t, b)
	ends := committed(b)
	for p := range finds {
		require.Equal(t, found{by: "first"}, <-finds[p])
	}
	second := join(t, named("second"), copied(20))
	stable(t, b, 2)
	moved := map[int]found{}
	until(t, func() bool {
		for p := range finds {
			if len(finds[p]) > 0 {
				moved[p] = <-finds[p]
			}
		}
		return len(moved) == 2
	}, "the second has no claims")
	for p, f := range moved {
		require.Equal(t, found{"second", fmt.Sprintf("first had %d", p), ends[int32(p)]}, f)
	}
	second.leave()
	for p := range moved {
		require.Equal(t, found{"first", fmt.Sprintf("second had %d", p), ends[int32(p)]}, <-finds[p], "come back")
	}
	require.Empty(t, first.failures(), "all in one session")
}
