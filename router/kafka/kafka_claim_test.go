//go:build kafka

package kafka_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/router/kafka"
)

// A claim keeps a log beside its partition: it sends to it, reads it, removes
// its beginning, and what it commits says where it begins. The next owner finds
// it there.
func TestKafkaALogBesideAClaim(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	log := kafkatest.Topic(t, 4)
	claims, release := make(chan *kafka.Claim, 100), make(chan struct{})
	cfg := f.config()
	cfg.OnClaim = func(ctx context.Context, k *kafka.Claim) error {
		claims <- k
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	}
	m := join(t, cfg, f.copied)
	k := <-claims
	require.Zero(t, k.Start())
	require.Empty(t, k.Metadata())
	p := k.Partition()
	sends := func(first, n int) {
		outs := make([]kafka.Output, n)
		want := make([]int64, n)
		for i := range outs {
			outs[i] = kafka.Output{Topic: log, Key: []byte("any"), Value: fmt.Append(nil, first+i), Placed: true, Partition: p}
			want[i] = int64(first + i)
		}
		got := make(chan []int64, 1)
		require.NoError(t, k.Send(outs, func(offsets []int64) { got <- offsets }))
		require.Equal(t, want, <-got)
	}
	next := func(tail *kafka.Tail, first, n int) {
		for got := 0; got < n; {
			records, err := tail.Next(within(t))
			require.NoError(t, err)
			for _, r := range records {
				require.EqualValues(t, first+got, r.Offset)
				require.Equal(t, fmt.Sprint(first+got), string(r.Value))
				got++
			}
		}
	}
	tail, err := k.Tail(log, p, 0)
	require.NoError(t, err)
	sends(0, 100)
	next(tail, 0, 100)
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		next(tail, 100, 10)
	}()
	sends(100, 10)
	<-waiting
	r, err := k.ReadAt(within(t), log, p, 42)
	require.NoError(t, err)
	require.Equal(t, "42", string(r.Value))

	require.NoError(t, k.SetMetadata("begins at 60"))
	stored := make(chan struct{})
	k.OnCommitted(func() { close(stored) })
	<-stored // before anything is read
	require.NoError(t, k.DeleteRecords(within(t), log, p, 60))
	require.NoError(t, k.DeleteRecords(within(t), log, p, 50), "they are gone")
	require.ErrorIs(t, k.DeleteRecords(within(t), log, p, 111), kafka.ErrNotInLog)
	for _, gone := range []int64{59, 200} {
		_, err = k.ReadAt(within(t), log, p, gone)
		require.ErrorIs(t, err, kafka.ErrNotInLog)
	}
	late, err := k.Tail(log, p, 7)
	require.NoError(t, err)
	next(late, 60, 50)
	beyond, err := k.Tail(log, p, 200)
	require.NoError(t, err)
	_, err = beyond.Next(within(t))
	require.ErrorIs(t, err, kafka.ErrNotInLog)

	close(release)
	f.feed(10)
	f.caughtUp()
	m.leave()
	require.Empty(t, m.failures())
	end := f.committed()[p]
	found := make(chan *kafka.Claim, 100)
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		if k.Partition() == p {
			found <- k
		}
		return nil
	}
	join(t, cfg, f.copied)
	k = <-found
	require.Equal(t, "begins at 60", k.Metadata())
	require.Equal(t, end, k.Start())
}

func TestKafkaATailSeesWhatIsCommitted(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	log := kafkatest.Topic(t, 1)
	claims := make(chan *kafka.Claim, 100)
	cfg := f.config()
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		claims <- k
		return nil
	}
	join(t, cfg, f.copied)
	k := <-claims
	c, err := kgo.NewClient(kgo.SeedBrokers(f.addrs...), kgo.TransactionalID(log), kgo.DefaultProduceTopic(log))
	require.NoError(t, err)
	defer c.Close()
	begin(t, c, "aborted", "aborted")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryAbort))
	begin(t, c, "seen")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryCommit))
	brokertest.Produce(t, f.addrs, log, brokertest.Record{Value: []byte("plain")})
	tail, err := k.Tail(log, 0, 0)
	require.NoError(t, err)
	var values []string
	for len(values) < 2 {
		records, err := tail.Next(within(t))
		require.NoError(t, err)
		for _, r := range records {
			values = append(values, string(r.Value))
		}
	}
	require.Equal(t, []string{"seen", "plain"}, values)
	_, err = k.ReadAt(within(t), log, 0, 0)
	require.ErrorIs(t, err, kafka.ErrNotInLog)
}
