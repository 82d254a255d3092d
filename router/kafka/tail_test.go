package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// besides starts brokers with topics "in" and "out", of one partition, and "log", of
// three, and returns a claim of "in".
func besides(t *testing.T, brokers int) (*broker.Broker, *kafka.Claim) {
	t.Helper()
	b := brokertest.New(t, brokertest.Brokers(brokers), brokertest.Topic("in", 1), brokertest.Topic("out", 1), brokertest.Topic("log", 3))
	_, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	goOn()
	return b, k
}

// logged writes n records, each a batch of its own, to a partition of "log";
// their values are counted on from first.
func logged(t testing.TB, b *broker.Broker, partition int32, first, n int) {
	t.Helper()
	for i := range n {
		brokertest.ProduceTo(t, b.Addrs(), "log", partition, brokertest.Record{Value: fmt.Append(nil, first+i)})
	}
}

func newTail(t testing.TB, k *kafka.Claim, partition int32, from int64) *kafka.Tail {
	t.Helper()
	tail, err := k.Tail("log", partition, from)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tail.Close() })
	return tail
}

// requireNext reads until it has the records with these values, no others.
func requireNext(t testing.TB, tail *kafka.Tail, first, n int) {
	t.Helper()
	for got := 0; got < n; {
		records, err := tail.Next(within(t))
		require.NoError(t, err)
		require.NotEmpty(t, records)
		for _, r := range records {
			require.Equal(t, fmt.Sprint(first+got), string(r.Value))
			got++
		}
	}
}

func TestATailReadsOnAsTheLogGrows(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 1)
	logged(t, b, 1, 0, 20)
	tail, other := newTail(t, k, 1, 5), newTail(t, k, 1, 0)
	requireNext(t, tail, 5, 15)
	for i := range 5 {
		logged(t, b, 1, 20+i, 1)
		requireNext(t, tail, 20+i, 1)
	}
	requireNext(t, other, 0, 25)

	// One that waits is told of what comes.
	waiting := make(chan []kafka.Record, 1)
	fetches := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "log", Observe: true, Count: -1})
	go func() {
		records, _ := tail.Next(within(t))
		waiting <- records
	}()
	require.NoError(t, fetches.Wait(within(t), 2), "it asks on")
	logged(t, b, 1, 25, 1)
	require.Len(t, <-waiting, 1)
	empty := newTail(t, k, 2, 0)
	logged(t, b, 2, 0, 1)
	requireNext(t, empty, 0, 1)
}

func TestATailBeginsWhereTheLogDoes(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 1)
	logged(t, b, 0, 0, 20)
	tail := newTail(t, k, 0, 0)
	requireNext(t, tail, 0, 20)
	logged(t, b, 0, 20, 10)
	require.NoError(t, b.Cluster().DeleteRecords("log", 0, 25))
	requireNext(t, newTail(t, k, 0, 3), 25, 5)
	requireNext(t, newTail(t, k, 0, -1), 25, 5)
	requireNext(t, tail, 25, 5)

	_, err := newTail(t, k, 0, 31).Next(within(t))
	require.ErrorIs(t, err, kafka.ErrNotInLog)
	require.ErrorContains(t, err, "tail log/0 from offset 31: the log ends at 30")
}

// Moving leaders, brokers that err and connections that break delay a tail; it
// leaves nothing out and repeats nothing.
func TestATailOutlastsTroubles(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 3)
	cluster := b.Cluster()
	tail := newTail(t, k, 0, 0)
	next := 0
	for i := range int32(6) {
		require.NoError(t, cluster.MoveTopicPartition("log", 0, i%3))
		logged(t, b, 0, next, 3)
		requireNext(t, tail, next, 3)
		next += 3
	}
	for _, err := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.FencedLeaderEpoch, kerr.UnknownServerError, kerr.OffsetOutOfRange} {
		h := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "log", Err: err, Count: 2})
		logged(t, b, 0, next, 3)
		if err == kerr.UnknownServerError {
			_, got := tail.Next(within(t))
			require.ErrorContains(t, got, "tail log/0", "what does not pass is told")
			h.Remove()
		}
		requireNext(t, tail, next, 3)
		next += 3
	}
	for range 3 { // hung up on
		var once sync.Once
		hit := make(chan struct{})
		cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			for _, topic := range req.(*kmsg.FetchRequest).Topics {
				if topic.Topic == "log" {
					once.Do(func() { close(hit) })
					return nil, fmt.Errorf("hang up"), true
				}
			}
			cluster.KeepControl()
			return nil, nil, false //nolint:nilnil // the broker answers
		})
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			<-hit
			logged(t, b, 0, next, 3)
		}()
		requireNext(t, tail, next, 3)
		<-wrote
		next += 3
	}
}

func TestATailSeesWhatIsCommitted(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 1)
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()...), kgo.TransactionalID("one"),
		kgo.DefaultProduceTopic("log"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	tail := newTail(t, k, 0, 0)
	begin(t, c, "aborted", "aborted")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryAbort))
	begin(t, c, "0")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryCommit))
	requireNext(t, tail, 0, 1)
	begin(t, c, "1")
	logged(t, b, 0, 2, 1)
	fetches := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "log", Observe: true, Count: -1})
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan int, 1)
	go func() {
		records, _ := tail.Next(ctx)
		seen <- len(records)
	}()
	require.NoError(t, fetches.Wait(within(t), 3))
	cancel()
	require.Zero(t, <-seen, "nothing behind an open transaction")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryCommit))
	requireNext(t, tail, 1, 2)
	_, err = k.ReadAt(within(t), "log", 0, 0)
	require.ErrorIs(t, err, kafka.ErrNotInLog, "of an aborted transaction")
}

// Who gives up waiting loses nothing.
func TestATailThatIsGivenUpGoesOn(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 1)
	tail := newTail(t, k, 0, 0)
	next := 0
	for i := range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan []kafka.Record, 1)
		go func() {
			records, _ := tail.Next(ctx)
			got <- records
		}()
		logged(t, b, 0, i, 1)
		cancel()
		for _, r := range <-got {
			require.Equal(t, fmt.Sprint(next), string(r.Value))
			next++
		}
	}
	requireNext(t, tail, next, 30-next)
}

// An answer is bounded, except by the size of a batch.
func TestATailIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1), brokertest.Topic("out", 1), brokertest.Topic("log", 1, "max.message.bytes=9000000"))
	_, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	goOn()
	random := rand.NewChaCha8([32]byte{})
	for i := range 9 {
		value := make([]byte, 700<<10) // that no codec makes smaller
		if i == 8 {
			value = make([]byte, 5<<20)
		}
		_, _ = random.Read(value)
		brokertest.ProduceTo(t, b.Addrs(), "log", 0, brokertest.Record{Value: value})
	}
	tail := newTail(t, k, 0, 0)
	for i := range 9 {
		records, err := tail.Next(within(t))
		require.NoError(t, err)
		require.Equal(t, 1, len(records), "not what is in them") //nolint:testifylint // would print megabytes
		require.EqualValues(t, i, records[0].Offset)
	}
}

func TestATailEndsWithCloseAndWithTheMembership(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1), brokertest.Topic("out", 1), brokertest.Topic("log", 3))
	m, k, goOn := taken(t, quick(b.Addrs()), copied(20))
	goOn()
	fetches := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "log", Observe: true, Count: -1})
	ended := make(chan error, 2)
	tails := []*kafka.Tail{newTail(t, k, 0, 0), newTail(t, k, 1, 0)}
	for _, tail := range tails {
		go func() {
			_, err := tail.Next(context.Background())
			ended <- err
		}()
	}
	require.NoError(t, fetches.Wait(within(t), 2))
	require.NoError(t, tails[0].Close())
	require.ErrorIs(t, <-ended, kafka.ErrClosed)
	_, err := tails[0].Next(within(t))
	require.ErrorIs(t, err, kafka.ErrClosed)
	m.leave()
	require.ErrorIs(t, <-ended, kafka.ErrClosed)
	_, err = k.Tail("log", 0, 0)
	require.ErrorIs(t, err, kafka.ErrClaimLost)
	_, err = k.ReadAt(within(t), "log", 0, 0)
	require.ErrorIs(t, err, kafka.ErrClosed)
	require.ErrorIs(t, k.DeleteRecords(within(t), "log", 0, 1), kafka.ErrClosed)
}

func TestARecordIsReadByItsOffset(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 3)
	brokertest.ProduceTo(t, b.Addrs(), "log", 1, make([]brokertest.Record, 10)...) // a batch
	logged(t, b, 1, 10, 3)
	brokertest.ProduceTo(t, b.Addrs(), "log", 1, brokertest.Record{Key: []byte("key"), Headers: []brokertest.Header{{Key: "a", Value: []byte("1")}}})
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "log") {
		got, err := k.ReadAt(within(t), "log", 1, r.Offset)
		require.NoError(t, err)
		require.Equal(t, r.Offset, got.Offset)
		require.Equal(t, r.Key, got.Key)
		require.Equal(t, r.Value, got.Value)
		require.Len(t, got.Headers, len(r.Headers))
	}
	h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "log", Err: kerr.NotLeaderForPartition, Count: 2})
	got, err := k.ReadAt(within(t), "log", 1, 12)
	require.NoError(t, err)
	require.Equal(t, "12", string(got.Value))
	require.Equal(t, 2, h.Hits())

	require.NoError(t, k.DeleteRecords(within(t), "log", 1, 12))
	for _, gone := range []int64{-1, 0, 11, 15} {
		_, err = k.ReadAt(within(t), "log", 1, gone)
		require.ErrorIs(t, err, kafka.ErrNotInLog, gone)
	}
	require.ErrorContains(t, err, "read log/1@15")
	b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "log", Err: kerr.NotLeaderForPartition, Count: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 10*tick)
	defer cancel()
	_, err = k.ReadAt(ctx, "log", 1, 12)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestRecordsAreDeletedUpToAnOffset(t *testing.T) {
	t.Parallel()
	b, k := besides(t, 3)
	a := newAdmin(t, b.Addrs())
	for who, remove := range map[string]func(context.Context, string, int32, int64) error{"claim": k.DeleteRecords, "admin": a.DeleteRecords} {
		partition := map[string]int32{"claim": 1, "admin": 2}[who]
		logged(t, b, partition, 0, 10)
		start := func() int64 { return b.Cluster().PartitionInfo("log", partition).LogStartOffset }
		h := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteRecords}, Topic: "log", Err: kerr.NotLeaderForPartition, Count: 2})
		require.NoError(t, remove(within(t), "log", partition, 4), who)
		require.Equal(t, 2, h.Hits())
		require.EqualValues(t, 4, start())
		require.NoError(t, remove(within(t), "log", partition, 2), "they are gone")
		require.ErrorIs(t, remove(within(t), "log", partition, 11), kafka.ErrNotInLog)
		require.ErrorIs(t, remove(within(t), "log", partition, -1), kafka.ErrNotInLog)
		require.EqualValues(t, 4, start())
		require.NoError(t, remove(within(t), "log", partition, 10))
		require.EqualValues(t, 10, start())
		err := remove(within(t), "log", 7, 1)
		require.ErrorContains(t, err, "delete the records of log/7 before offset 1")
	}
}
