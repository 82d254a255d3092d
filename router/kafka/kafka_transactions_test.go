//go:build kafka

package kafka_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// exactly is config with transactions.
func (f *realFlow) exactly() kafka.SubscriberConfig {
	cfg := f.config()
	cfg.Transactions = &kafka.TransactionsConfig{CommitInterval: 20 * time.Millisecond}
	return cfg
}

// once checks that readers of committed records see all there is, once, in order.
func (f *realFlow) once() {
	f.t.Helper()
	f.caughtUp()
	at := f.committed()
	require.Equal(f.t, findings{}, check(brokertest.ReadAll(f.t, f.addrs, f.in), brokertest.ReadCommitted(f.t, f.addrs, f.out), at))
}

func TestKafkaEachMessageHappensOnceWhileMembersComeAndGo(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	stop, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		for {
			select {
			case <-stop:
				return
			default:
				f.feed(10)
			}
		}
	}()
	joined := make(chan struct{}, 100)
	cfg := f.exactly()
	cfg.OnJoin = func(map[string][]int32) { joined <- struct{}{} }
	static := cfg
	static.InstanceID = "one"
	static.SessionTimeout = 20 * time.Second
	var members []*member
	for _, c := range []kafka.SubscriberConfig{cfg, static, cfg} {
		members = append(members, join(t, c, f.copied))
		<-joined
	}
	members[0].leave()
	members[1].leave()
	members = append(members, join(t, static, f.copied))
	<-joined
	close(stop)
	<-fed
	f.once()
	for i, m := range members {
		require.Empty(t, m.failures(), "member %d", i)
	}
}

// A process that was killed leaves a transaction open, here one that the broker would
// give up after ten minutes: its outputs are seen by nobody, and who takes its number
// over does not wait.
func TestKafkaWhoTakesANumberOverEndsTheTransactionOfADeadOwner(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	f.feed(10)
	id := f.in + "-0"
	// Later versions need no request to add partitions.
	dead, err := kgo.NewClient(kgo.SeedBrokers(f.addrs...), kgo.TransactionalID(id), kgo.TransactionTimeout(10*time.Minute),
		kgo.MaxVersions(kversion.V3_6_0()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer dead.CloseAllowingRebalance()
	require.NoError(t, dead.BeginTransaction())
	require.NoError(t, dead.ProduceSync(within(t), &kgo.Record{Topic: f.out, Value: []byte("of the dead")}).FirstErr())
	producer, epoch, err := dead.ProducerID(within(t))
	require.NoError(t, err)

	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = id, producer, epoch, f.in
	added, err := add.RequestWith(within(t), dead)
	require.NoError(t, err)
	require.Zero(t, added.ErrorCode)
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group, commit.Generation = id, producer, epoch, f.in, -1
	topic, partition := kmsg.NewTxnOffsetCommitRequestTopic(), kmsg.NewTxnOffsetCommitRequestTopicPartition()
	partition.Offset = 3
	topic.Topic, topic.Partitions = f.in, append(topic.Partitions, partition)
	commit.Topics = append(commit.Topics, topic)
	committed, err := commit.RequestWith(within(t), dead)
	require.NoError(t, err)
	require.Zero(t, committed.Topics[0].Partitions[0].ErrorCode)

	m := join(t, f.exactly(), f.copied)
	f.once()
	require.Empty(t, m.failures())
}

// However connections are cut, a transaction happens once. A broker that has done what
// it was asked for, and could not say so, is asked again.
func TestKafkaTransactionsHappenOnceThoughConnectionsAreCut(t *testing.T) {
	t.Parallel()
	cutting(func(name string, key kmsg.Key, what lost) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRealFlow(t)
			c := newCutter(t)
			cfg := f.exactly()
			cfg.Config = cfg.DialThrough(c)
			if key == kmsg.InitProducerID {
				c.cut(key, what, 2)
			}
			m := join(t, cfg, f.copied)
			f.feed(10)
			for n := range 3 {
				if key != kmsg.InitProducerID {
					c.cut(key, what, n+1)
				}
				f.feed(10)
				until(t, func() bool { return c.cuts() > 0 }, "nothing is cut")
				f.once()
			}
			f.feed(10) // what is late comes now at the latest
			until(t, func() bool { return c.held() == 0 }, "something is not delivered")
			f.once()
			m.leave()
			f.once()
		})
	})
}

// Somebody who takes a transactional id over, here another program by mistake, fences
// the owner in the middle of its work: what that has open is aborted, and what the
// other one writes too when the owner takes its id over again.
func TestKafkaAnOwnerThatIsFencedGoesOn(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	m := join(t, f.exactly(), f.copied)
	for round := range 3 {
		f.feed(10)
		f.once()
		other, err := kgo.NewClient(kgo.SeedBrokers(f.addrs...), kgo.TransactionalID(f.in+"-"+strconv.Itoa(round)), kgo.TransactionTimeout(10*time.Minute))
		require.NoError(t, err)
		t.Cleanup(other.CloseAllowingRebalance)
		require.NoError(t, other.BeginTransaction())
		require.NoError(t, other.ProduceSync(within(t), &kgo.Record{Topic: f.out, Value: []byte("of another")}).FirstErr())
		f.feed(10)
		f.once()
		require.Error(t, other.EndTransaction(within(t), kgo.TryCommit), "it is fenced in its turn")
		require.NotEmpty(t, m.failures(), "the owner was told")
	}
}
