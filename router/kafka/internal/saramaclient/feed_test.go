package saramaclient

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// fetching returns a fetcher from a broker. Its fetches may wait for the wait.
func fetching(t testing.TB, b *broker.Broker, wait time.Duration) *fetcher {
	t.Helper()
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V4_0_0_0
	cfg.Consumer.MaxWaitTime = wait
	cfg.Metadata.Retry.Backoff = time.Millisecond
	conn, err := Dial(t.Context(), b.Addrs(), cfg)
	require.NoError(t, err)
	f := newFetcher(conn, cfg, func(err error) { t.Log(err) })
	t.Cleanup(func() {
		f.close()
		require.Eventually(t, func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.loops) == 0
		}, 10*time.Second, time.Millisecond)
		_ = conn.Close()
	})
	return f
}

// await takes what a feed has next.
func await(ctx context.Context, d *feed, limit, maxBytes int) ([]client.Record, error) {
	for {
		records, err := d.next(limit, maxBytes)
		if len(records) > 0 || err != nil {
			return records, err
		}
		select {
		case <-d.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (f *fetcher) ahead() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes
}

func fill(t testing.TB, b *broker.Broker, partition int32, n, size int) {
	t.Helper()
	records := make([]brokertest.Record, n)
	noise := rand.NewChaCha8([32]byte{}) // it does not become smaller when it is compressed
	for i := range records {
		records[i] = brokertest.Record{Key: strconv.AppendInt(nil, int64(i), 10), Value: make([]byte, size)}
		_, err := noise.Read(records[i].Value)
		require.NoError(t, err)
	}
	brokertest.ProduceTo(t, b.Addrs(), "in", partition, records...)
}

// What fails on the way delays records, and neither drops nor repeats any.
func TestFeedsHandOutEveryRecordInOrder(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Brokers(3), brokertest.Topic("in", 4))
	f := fetching(t, b, 20*time.Millisecond)
	const n = 3000
	for p := range int32(4) {
		fill(t, b, p, n, 1000)
	}
	var faults []*kfake.FaultHandle
	for _, err := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownTopicOrPartition, kerr.KafkaStorageError} {
		faults = append(faults, b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "in", Err: err, Count: 2}))
	}
	for p := range int32(4) {
		d := f.feed("in", p, 5, new(atomic.Int64))
		for next := int64(5); next < n; {
			records, err := await(soon(t), d, 700, 100_000)
			require.NoError(t, err)
			require.LessOrEqual(t, len(records), 101, "the bytes are bounded, but for one record")
			for i := range records {
				require.Equal(t, next, records[i].Offset)
				require.Equal(t, strconv.FormatInt(next, 10), string(records[i].Key))
				next++
			}
		}
		d.close()
	}
	for _, h := range faults {
		require.Equal(t, 2, h.Hits())
	}
	require.Eventually(t, func() bool { return f.ahead() == 0 }, 10*time.Second, time.Millisecond, "what is over holds no memory")
}

// A claim that nobody reads is fetched ahead of for a bit, and does not hold up
// another one of the same broker.
func TestWhatIsFetchedAheadIsBounded(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 2))
	f := fetching(t, b, 20*time.Millisecond)
	fill(t, b, 0, 10_000, 1000)
	fill(t, b, 1, 10_000, 1000)
	full := f.feed("in", 0, 0, new(atomic.Int64))
	defer full.close()
	require.Eventually(t, func() bool { return f.ahead() >= roomBelow }, 10*time.Second, time.Millisecond)
	read := f.feed("in", 1, 0, new(atomic.Int64))
	defer read.close()
	for next := int64(0); next < 10_000; {
		records, err := await(soon(t), read, 512, 1<<20)
		require.NoError(t, err)
		next = records[len(records)-1].Offset + 1
		require.LessOrEqual(t, f.ahead(), 2*(roomBelow+2*fetchBytes))
	}
	records, err := await(soon(t), full, 1, 1)
	require.NoError(t, err)
	require.Zero(t, records[0].Offset)
	full.close()
	read.close()
	require.Eventually(t, func() bool { return f.ahead() == 0 }, 10*time.Second, time.Millisecond, "what is over holds no memory")
}

// More than may be ahead of all claims is fetched only for who waits.
func TestBeyondTheBoundOnlyWhoWaitsIsFetchedFor(t *testing.T) {
	t.Parallel()
	f := &fetcher{bytes: maxAhead}
	d := &feed{f: f, ready: make(chan struct{}, 1), ctx: t.Context()}
	require.False(t, d.wants())
	records, err := d.next(1, 1)
	require.NoError(t, err)
	require.Empty(t, records)
	require.True(t, d.wants())
	d.put([]client.Record{{Value: make([]byte, 10)}})
	require.False(t, d.wants())
	f.bytes = 0
	require.True(t, d.wants())
	d.put([]client.Record{{Value: make([]byte, roomBelow)}})
	require.False(t, d.wants())
}

// An answer is handed out without a copy, several small ones are put together.
func TestSmallAnswersArePutTogether(t *testing.T) {
	t.Parallel()
	f := &fetcher{}
	d := &feed{f: f, ready: make(chan struct{}, 1), ctx: t.Context()}
	answer := []client.Record{{Offset: 0}, {Offset: 1}, {Offset: 2}}
	d.put(answer)
	first, err := d.next(2, 1000)
	require.NoError(t, err)
	require.Same(t, &answer[0], &first[0])
	require.Len(t, append(first, client.Record{Offset: 9}), 3)
	require.EqualValues(t, 2, answer[2].Offset, "who appends to what it got does not reach what is left")
	d.put([]client.Record{{Offset: 3}, {Offset: 4}})
	rest, err := d.next(10, 1000)
	require.NoError(t, err)
	require.Len(t, rest, 3)
	for i := range rest {
		require.EqualValues(t, 2+i, rest[i].Offset)
	}
	require.Zero(t, f.bytes)
}

func TestALostRangeEndsTheFeed(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1))
	fill(t, b, 0, 20, 10)
	require.NoError(t, b.Cluster().DeleteRecords("in", 0, 10))
	d := fetching(t, b, 20*time.Millisecond).feed("in", 0, 5, new(atomic.Int64))
	defer d.close()
	_, err := await(soon(t), d, 10, 1000)
	require.Equal(t, &client.LostRangeError{Topic: "in", Partition: 0}, err)
}

// The replica that a leader prefers is asked, until it fails.
func TestAPreferredReplicaIsAskedUntilItFails(t *testing.T) {
	t.Parallel()
	d := &feed{f: &fetcher{leaders: &begun{}}, ready: make(chan struct{}, 1), ctx: t.Context(), high: new(atomic.Int64), replica: replica{id: leaderItself}}
	stay, err := d.answered(&block{preferred: 2}, 1)
	require.NoError(t, err)
	require.False(t, stay)
	require.EqualValues(t, 2, d.replica.id)
	stay, err = d.answered(&block{preferred: -1}, 2)
	require.NoError(t, err)
	require.True(t, stay)
	stay, err = d.answered(&block{err: sarama.ErrOffsetOutOfRange, preferred: -1}, 2)
	require.NoError(t, err)
	require.False(t, stay)
	require.EqualValues(t, leaderItself, d.replica.id, "the leader says whether the range is lost")
	require.NoError(t, d.err)
}
