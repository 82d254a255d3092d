package produce_test

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

const transactionalID = "g-0"

func newTransactional(t testing.TB, addrs []string, topic string, cfg produce.Config) produce.Transactional {
	t.Helper()
	cfg.TransactionalID = transactionalID + "-" + topic
	p, err := produce.NewTransactional(within(t), testConfig(t, addrs, cfg))
	require.NoError(t, err)
	closeAtEnd(t, p)
	_, err = p.Prepare(within(t), topic)
	require.NoError(t, err)
	return p
}

// numbers are outputs from up to, not including, to, spread over the partitions.
func numbers(from, to int64) (outs []client.Output) {
	for n := from; n < to; n++ {
		outs = append(outs, client.Output{Partition: int32(n % partitions), Ticket: client.Ticket{Entry: n}, Value: binary.BigEndian.AppendUint64(nil, uint64(n))})
	}
	return outs
}

// transact writes numbers in a transaction, with an offset if it is not negative.
func transact(t testing.TB, p client.Transactions, topic string, from, to int64, m client.Membership, offset int64, commit bool) {
	t.Helper()
	require.NoError(t, p.Begin())
	require.NoError(t, p.Enqueue(topic, numbers(from, to)))
	if offset >= 0 {
		require.NoError(t, p.AddOffsets(within(t), m, offsets(topic, offset)))
	}
	require.NoError(t, p.End(within(t), commit))
}

func offsets(topic string, n int64) []client.Offset {
	return []client.Offset{{Topic: topic, Partition: 0, Offset: n, Metadata: "note"}}
}

// requireSeen checks what a reader of committed records gets: each of these
// numbers once. A commit is answered before its markers are in all logs, so
// what is missing is waited for.
func requireSeen(t testing.TB, addrs []string, topic string, want map[int64]int) {
	t.Helper()
	var got map[int64]int
	require.Eventually(t, func() bool {
		got = map[int64]int{}
		for _, r := range brokertest.ReadCommitted(t, addrs, topic) {
			got[int64(binary.BigEndian.Uint64(r.Value))]++
		}
		return len(got) >= len(want)
	}, patience, 10*time.Millisecond)
	require.Equal(t, want, got)
}

// once are the numbers below to, each once.
func once(to int64) map[int64]int {
	want := map[int64]int{}
	for n := range to {
		want[n] = 1
	}
	return want
}

// committed is the offset that the group has committed, -1 for none.
func committed(t testing.TB, addrs []string, group, topic string) int64 {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.MaxVersions(kversion.V2_8_0()))
	require.NoError(t, err)
	defer c.Close()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.RequireStable = group, true
	rt := kmsg.NewOffsetFetchRequestTopic()
	rt.Topic, rt.Partitions = topic, []int32{0}
	req.Topics = append(req.Topics, rt)
	var found kmsg.OffsetFetchResponseTopicPartition
	require.Eventually(t, func() bool {
		resp, err := req.RequestWith(within(t), c)
		require.NoError(t, err)
		require.NoError(t, kerr.ErrorForCode(resp.ErrorCode))
		found = resp.Topics[0].Partitions[0]
		return found.ErrorCode != kerr.UnstableOffsetCommit.Code // its marker is on the way
	}, patience, 10*time.Millisecond)
	require.NoError(t, kerr.ErrorForCode(found.ErrorCode))
	return found.Offset
}

// joinGroup makes a member of a group and returns its membership.
func joinGroup(t testing.TB, addrs []string, group, topic string) client.Membership {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	m := client.Membership{Group: group}
	require.Eventually(t, func() bool {
		m.Member, m.Generation = c.GroupMetadata()
		return m.Member != "" && m.Generation > 0
	}, patience, time.Millisecond)
	return m
}

func TestTransactionsCommitAndAbort(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	testTransactions(t, c.ListenAddrs(), topic)
}

// testTransactions runs against any broker; the topic is empty.
func testTransactions(t *testing.T, addrs []string, topic string) {
	t.Helper()
	group := "g-" + topic
	m := joinGroup(t, addrs, group, topic)
	p := newTransactional(t, addrs, topic, produce.Config{})

	transact(t, p, topic, 0, 30, m, 30, true)
	require.Equal(t, int64(30), committed(t, addrs, group, topic))
	transact(t, p, topic, 1000, 1030, m, 1030, false)
	require.Equal(t, int64(30), committed(t, addrs, group, topic), "the offsets of an aborted transaction do not count")
	transact(t, p, topic, 30, 60, m, 60, true)
	transact(t, p, topic, 60, 60, m, 61, true) // offsets alone
	transact(t, p, topic, 60, 60, m, -1, true) // nothing at all

	require.NoError(t, p.Begin())
	require.NoError(t, p.Enqueue(topic, numbers(2000, 2010)))
	old := m
	old.Generation--
	require.ErrorIs(t, p.AddOffsets(within(t), old, offsets(topic, 99)), client.ErrStale)
	require.Error(t, p.End(within(t), true), "it can only be aborted")
	require.NoError(t, p.End(within(t), false))

	require.NoError(t, p.Begin())
	require.NoError(t, p.Enqueue(topic, numbers(60, 90)))
	require.ErrorIs(t, p.AddOffsets(within(t), old, offsets(topic, 99)), client.ErrStale)
	require.NoError(t, p.AddOffsets(within(t), m, offsets(topic, 90)), "the member has a newer generation")
	require.NoError(t, p.End(within(t), true))
	require.NoError(t, p.Close(within(t)))
	requireSeen(t, addrs, topic, once(90))
	require.Equal(t, int64(90), committed(t, addrs, group, topic))
}

func TestTakeOverFencesTheEarlierProducer(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	testTakeOver(t, c.ListenAddrs(), topic)
}

func testTakeOver(t *testing.T, addrs []string, topic string) {
	t.Helper()
	fenced := make(chan error, 1)
	old := newTransactional(t, addrs, topic, produce.Config{OnFence: func(err error) { fenced <- err }})
	transact(t, old, topic, 0, 30, client.Membership{}, -1, true)
	require.NoError(t, old.Begin())
	require.NoError(t, old.Enqueue(topic, numbers(1000, 1030)))
	require.NoError(t, old.Flush(within(t)))

	young := newTransactional(t, addrs, topic, produce.Config{})
	require.NoError(t, old.Enqueue(topic, numbers(1030, 1060)))
	require.ErrorIs(t, old.End(within(t), true), client.ErrFenced)
	require.Error(t, <-fenced)
	transact(t, young, topic, 30, 60, client.Membership{}, -1, true)
	requireSeen(t, addrs, topic, once(60))
}

// The coordinator refuses a former owner too, who has nothing more to write.
func TestTheCoordinatorFencesTheEarlierProducer(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]func(produce.Transactional) error{
		"ends": func(p produce.Transactional) error { return p.End(within(t), true) },
		"adds offsets": func(p produce.Transactional) error {
			return p.AddOffsets(within(t), client.Membership{Group: "g", Generation: -1}, offsets(topic, 30))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			fenced := make(chan error, 1)
			old := newTransactional(t, c.ListenAddrs(), topic, produce.Config{OnFence: func(err error) { fenced <- err }})
			require.NoError(t, old.Begin())
			require.NoError(t, old.Enqueue(topic, numbers(1000, 1030)))
			require.NoError(t, old.Flush(within(t)))

			young := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
			require.ErrorContains(t, last(old), "another producer has the transactional id")
			select {
			case err := <-fenced:
				require.ErrorContains(t, err, "another producer has the transactional id")
			case <-within(t).Done():
				t.Fatal("its owner is not told")
			}
			transact(t, young, topic, 0, 30, client.Membership{}, -1, true)
			requireSeen(t, c.ListenAddrs(), topic, once(30))
		})
	}
}

func TestOutputsNeedATransaction(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
	m := client.Membership{Group: "g"}
	require.Error(t, p.Enqueue(topic, numbers(0, 3)))
	require.Error(t, p.AddOffsets(within(t), m, offsets(topic, 1)))
	require.Error(t, p.End(within(t), true))
	require.NoError(t, p.Begin())
	require.Error(t, p.Begin())
	require.NoError(t, p.AddOffsets(within(t), m, nil))
	require.NoError(t, p.End(within(t), true))
	require.Error(t, p.Enqueue(topic, numbers(0, 3)))
	require.Empty(t, brokertest.ReadAll(t, c.ListenAddrs(), topic))
}

// One request adds all the partitions that a call of Enqueue needs.
func TestPartitionsJoinTogether(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	joins := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Observe: true, Count: -1})
	p := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
	transact(t, p, topic, 0, 30, client.Membership{}, -1, true)
	require.Equal(t, 1, joins.Hits())
}

func TestCoordinatorsAreAskedAgain(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]*kerr.Error{
		"concurrent transactions": kerr.ConcurrentTransactions,
		"not the coordinator":     kerr.NotCoordinator,
		"not available":           kerr.CoordinatorNotAvailable,
		"loading":                 kerr.CoordinatorLoadInProgress,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			var hits []*kfake.FaultHandle
			for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn} {
				hits = append(hits, c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: 2}))
			}
			p := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
			transact(t, p, topic, 0, 30, client.Membership{Group: "g", Generation: -1}, 30, true)
			for _, h := range hits {
				require.Equal(t, 2, h.Hits())
			}
			requireSeen(t, c.ListenAddrs(), topic, once(30))
			require.Equal(t, int64(30), committed(t, c.ListenAddrs(), "g", topic))
		})
	}
}

// A commit that nobody answers fences the producer: the request may still take
// effect, so no other transaction may be begun with it.
func TestUnansweredEndFences(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	asked, release := make(chan struct{}), make(chan struct{})
	p := newTransactional(t, c.ListenAddrs(), topic, produce.Config{})
	require.NoError(t, p.Begin())
	require.NoError(t, p.Enqueue(topic, numbers(0, 3)))
	require.NoError(t, p.Flush(within(t)))
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		close(asked)
		c.SleepControl(func() { <-release })
		return nil, nil, false //nolint:nilnil // not answered here: the cluster does
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	err := p.End(ctx, true)
	close(release)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, p.Begin(), client.ErrFenced)
}

func TestOrderInATransactionSurvivesPassingFaults(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"none", "timed out after append", "cut after it is applied", "leaders move"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scene{cluster: newCluster(t), wire: &wire{every: 1}, stream: newStream(5)}
			conf := quick()
			conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, s.wire
			arrived := watchProduce(s.cluster)
			p := newTransactional(t, s.cluster.ListenAddrs(), topic, produce.Config{
				Sarama: conf, Done: s.stream.done, OnFence: s.stream.onFence, Backoff: 5 * time.Millisecond,
			})
			s.p = p.Producer
			require.NoError(t, p.Begin())
			go s.stream.feed(s.p)
			s.stream.goesOn(t, 100)
			passing[name](t, s)
			s.stream.goesOn(t, 100)
			s.stream.halt()
			require.NoError(t, p.End(within(t), true))
			require.NoError(t, p.Close(within(t)))
			require.Empty(t, s.stream.violations(readLog(t, s.cluster, s.wire, arrived)))
			want := once(s.stream.next[0])
			for n := range want {
				want[n] = partitions
			}
			requireSeen(t, s.cluster.ListenAddrs(), topic, want)
		})
	}
}
