package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// exactly is quick with transactions.
func exactly(addrs []string) kafka.SubscriberConfig {
	cfg := quick(addrs)
	cfg.Transactions = &kafka.TransactionsConfig{CommitInterval: 20 * time.Millisecond}
	return cfg
}

// once checks that readers of committed records see all that there is to see, once,
// in order.
func once(t testing.TB, b *broker.Broker) {
	t.Helper()
	caughtUp(t, b)
	at := committed(b)
	require.Equal(t, findings{}, check(brokertest.ReadAll(t, b.Addrs(), "in"), brokertest.ReadCommitted(t, b.Addrs(), "out"), at))
}

func TestTransactionsHaveOutputsAndOffsetsTogether(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	m := join(t, exactly(b.Addrs()), copied(20))
	feed(t, b.Addrs(), 20, 50)
	once(t, b)
	require.Empty(t, m.failures())
}

func TestWhateverFailsOfATransactionItHappensOnce(t *testing.T) {
	t.Parallel()
	for key, errs := range map[kmsg.Key][]*kerr.Error{
		kmsg.AddPartitionsToTxn: {kerr.ConcurrentTransactions, kerr.NotCoordinator, kerr.InvalidProducerEpoch, kerr.TransactionalIDAuthorizationFailed},
		kmsg.AddOffsetsToTxn:    {kerr.CoordinatorLoadInProgress, kerr.InvalidTxnState, kerr.UnknownServerError},
		kmsg.TxnOffsetCommit:    {kerr.NotCoordinator, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.GroupAuthorizationFailed},
		kmsg.EndTxn:             {kerr.CoordinatorNotAvailable, kerr.InvalidTxnState, kerr.InvalidProducerEpoch, kerr.UnknownServerError},
		kmsg.Produce:            {kerr.NotEnoughReplicas, kerr.MessageTooLarge, kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.PolicyViolation},
	} {
		t.Run(key.Name(), func(t *testing.T) {
			t.Parallel()
			b := newFlow(t)
			join(t, exactly(b.Addrs()), copied(20))
			for _, err := range errs {
				fault := kfake.Fault{Keys: []kmsg.Key{key}, Err: err, Count: 2}
				if key == kmsg.Produce {
					fault.Topic = "out" // not what the test feeds
				}
				h := b.Cluster().Fault(fault)
				feed(t, b.Addrs(), 20, 20)
				require.NoError(t, h.Wait(within(t), 1), "%v", err)
				until(t, func() bool { return h.Hits() >= 2 || done(t, b) }, "neither a second time nor done")
				h.Remove()
			}
			once(t, b)
		})
	}
}

// done tells whether all that is in is committed.
func done(t testing.TB, b *broker.Broker) bool {
	t.Helper()
	at := committed(b)
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "in") {
		if at[r.Partition] <= r.Offset {
			return false
		}
	}
	return true
}

func TestAMessageThatTakesLongKeepsBackTheOutputsBehindIt(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 1), brokertest.Topic("out", 1))
	cfg := exactly(b.Addrs())
	cfg.MaxInFlight = 20
	crowded := make(chan kafka.Entry, 1)
	cfg.OnCrowded = func(_ *kafka.Claim, head kafka.Entry) { crowded <- head }
	var first atomic.Pointer[func()]
	join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			if b.Records[i].Offset == 0 {
				late := b.Claim.NewOutbox()
				f := func() {
					_ = copyOne(b, i, late)
					_ = late.Flush()
				}
				first.Store(&f)
				continue
			}
			if err := copyOne(b, i, out); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	feed(t, b.Addrs(), 1, 100)
	select {
	case head := <-crowded:
		require.Zero(t, head)
	case <-within(t).Done():
		t.Fatal("nobody is told")
	}
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "out"), "nor in an open transaction")
	(*first.Load())()
	once(t, b)
	require.Empty(t, crowded, "of one head once")
}

// Outputs that wait for a message before theirs are in flight: what may be is bounded,
// however large they are.
func TestOutputsThatWaitAreInFlight(t *testing.T) {
	t.Parallel()
	const size, room = 10_000, 10
	b := brokertest.New(t, brokertest.Topic("in", 2), brokertest.Topic("out", 2))
	cfg := exactly(b.Addrs())
	cfg.MaxInFlightBytes = room * size
	cfg.MaxBatch = 1
	var handled [2]atomic.Int64
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	var late sync.WaitGroup
	defer late.Wait()
	defer release()
	join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		handled[b.Claim.Partition()].Add(1)
		add := func(out *kafka.Outbox) error {
			err := out.Add(b.Entry(0), &kafka.Output{Topic: "out", Key: b.Records[0].Key, Value: make([]byte, size)})
			out.Settle(b.Entry(0))
			return errors.Join(err, out.Flush())
		}
		if b.Claim.Partition() != 0 || b.Records[0].Offset > 0 {
			return add(out)
		}
		head := b.Claim.NewOutbox()
		late.Go(func() {
			<-goOn
			_ = add(head)
		})
		return nil
	})
	const keys, each = 20, 20
	feed(t, b.Addrs(), keys, each)
	var ends [2]int64
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "in") {
		ends[r.Partition]++
	}
	require.Greater(t, ends[0], int64(5*room))
	until(t, func() bool { return handled[0].Load() >= room-1 && committed(b)[1] == ends[1] }, "not all that can be done is")
	require.LessOrEqual(t, handled[0].Load(), int64(room+2), "it reads on")
	release()
	caughtUp(t, b)
	require.Len(t, brokertest.ReadCommitted(t, b.Addrs(), "out"), keys*each)
}

// A stop waits for the transaction of what is done: the next owner does not do it again.
func TestGracefulStopsExactlyOnceDoNothingTwice(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	var mu sync.Mutex
	times := map[string]int{}
	counted := func(b *kafka.Batch, out *kafka.Outbox) error {
		mu.Lock()
		for i := range b.Records {
			times[fmt.Sprintf("%d@%d", b.Records[i].Partition, b.Records[i].Offset)]++
		}
		mu.Unlock()
		return copied(20)(b, out)
	}
	for range 5 {
		begun := make(chan struct{})
		var once sync.Once
		m := join(t, exactly(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
			once.Do(func() { close(begun) })
			return counted(b, out)
		})
		feed(t, b.Addrs(), 20, 20)
		<-begun
		m.leave() // in the middle
		require.Empty(t, m.failures())
	}
	join(t, exactly(b.Addrs()), counted)
	once(t, b)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, times, 5*20*20)
	for at, n := range times {
		require.Equal(t, 1, n, at)
	}
}

func TestSendsAreToldWhenTheyAreCommitted(t *testing.T) {
	t.Parallel()
	// Each number has a partition of its own: what is open in one hides what is behind.
	b := brokertest.New(t, brokertest.Topic("in", 4), brokertest.Topic("notes", 4))
	cfg := exactly(b.Addrs())
	cfg.Transactions.CommitInterval = 5 * time.Second
	cfg.Transactions.Timeout = 30 * time.Second
	var mu sync.Mutex
	told := map[int32]int{}
	cfg.OnClaim = func(_ context.Context, k *kafka.Claim) error {
		stored := make(chan []int64, 1)
		var outs []kafka.Output
		for _, value := range []string{"a", "b"} {
			outs = append(outs, kafka.Output{Topic: "notes", Value: []byte(value), Placed: true, Partition: k.Partition()})
		}
		if err := k.Send(outs, func(offsets []int64) { stored <- offsets }); err != nil {
			return err
		}
		offsets := <-stored
		seen := 0
		for _, r := range placedBy(t, b.Addrs(), k.Partition()) {
			if r.Offset == offsets[0] || r.Offset == offsets[1] {
				seen++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		told[k.Partition()] = seen
		return nil
	}
	join(t, cfg, copied(20))
	until(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(told) == 4
	}, "not all are told")
	for p, n := range told {
		require.Equal(t, 2, n, "of number %d both are there", p)
	}
}

func TestMembersComeAndGoAndEachMessageHappensOnce(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("in", 12), brokertest.Topic("out", 3))
	stop, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		for {
			select {
			case <-stop:
				return
			default:
				feed(t, b.Addrs(), 30, 10)
			}
		}
	}()
	var members []*member
	for range 4 {
		members = append(members, join(t, exactly(b.Addrs()), copied(7)))
		stable(t, b, len(members))
	}
	members[0].leave()
	members[2].leave()
	stable(t, b, 2)
	join(t, exactly(b.Addrs()), copied(7))
	stable(t, b, 3)
	close(stop)
	<-fed
	once(t, b)
	for i, m := range members {
		require.Empty(t, m.failures(), "member %d", i)
	}
}

func TestTransactionsAreConfigured(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(c *kafka.SubscriberConfig){
		"Transactions need Batches":               func(c *kafka.SubscriberConfig) { c.Batches = false },
		"a bound of Transactions is negative":     func(c *kafka.SubscriberConfig) { c.Transactions.CommitMessages = -1 },
		"is not longer than their CommitInterval": func(c *kafka.SubscriberConfig) { c.Transactions.Timeout = time.Millisecond },
	} {
		cfg := exactly([]string{"127.0.0.1:1"})
		change(&cfg)
		_, err := kafka.NewSubscriber(cfg)
		require.ErrorContains(t, err, want)
	}
}
