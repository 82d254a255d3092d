package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

const (
	group = "flow"

	// patience bounds every wait of a test; a test that works needs a
	// fraction of it.
	patience = time.Minute
	tick     = 10 * time.Millisecond
)

// work handles a batch of a claim. Of a claim one call at a time runs.
type work func(b *kafka.Batch, out *kafka.Outbox) error

// copied makes an output of every record that names the record's place, and
// flushes after every n.
func copied(n int) work {
	return func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			if err := copyOne(b, i, out); err != nil {
				return err
			}
			if i%n == n-1 {
				if err := out.Flush(); err != nil {
					return err
				}
			}
		}
		return out.Flush()
	}
}

func copyOne(b *kafka.Batch, i int, out *kafka.Outbox) error {
	r := &b.Records[i]
	err := out.Add(b.Entry(i), &kafka.Output{Topic: "out", Key: r.Key, Value: fmt.Appendf(nil, "%d@%d", r.Partition, r.Offset)})
	out.Settle(b.Entry(i))
	return err
}

// member is a Subscriber with Batches and what handles its batches.
type member struct {
	*kafka.Subscriber

	t        testing.TB
	handling sync.WaitGroup
	outboxes sync.Map // by claim
	work     work

	mu   sync.Mutex
	errs []error // what OnError was told
}

// quick is a configuration whose intervals suit a test.
func quick(addrs []string) kafka.SubscriberConfig {
	return kafka.SubscriberConfig{
		Config:         kafka.Config{Brokers: addrs},
		Group:          group,
		Batches:        true,
		CommitInterval: 20 * time.Millisecond,
		SessionTimeout: 10 * time.Second, // as long as busy machines need
		RejoinBackoff:  10 * time.Millisecond,
		Logger:         slog.New(slog.DiscardHandler),
	}
}

// join starts a member that reads topic "in". The test's end closes it.
func join(t testing.TB, cfg kafka.SubscriberConfig, w work) *member {
	t.Helper()
	m := &member{t: t, work: w}
	onError := cfg.OnError
	cfg.OnError = func(err error) {
		m.mu.Lock()
		m.errs = append(m.errs, err)
		m.mu.Unlock()
		if onError != nil {
			onError(err)
		}
	}
	var err error
	m.Subscriber, err = kafka.NewSubscriber(cfg)
	require.NoError(t, err)
	messages, err := m.Subscribe(t.Context(), "in")
	require.NoError(t, err)
	m.handling.Go(func() {
		for msg := range messages {
			m.handling.Go(func() { m.handle(msg) })
		}
	})
	t.Cleanup(m.leave)
	return m
}

func (m *member) handle(msg *message.Message) {
	b, ok := kafka.FromMessage(msg)
	if !ok {
		panic("a message without a batch")
	}
	out, _ := m.outboxes.LoadOrStore(b.Claim, b.Claim.NewOutbox())
	if err := m.work(b, out.(*kafka.Outbox)); err != nil {
		msg.Nack()
		return
	}
	msg.Ack()
}

// closing closes the member while the test goes on. The channel is closed when it is.
func (m *member) closing() <-chan struct{} {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = m.Close()
	}()
	return closed
}

// leave closes the member and waits for its handlers.
func (m *member) leave() {
	m.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = m.Close()
		m.handling.Wait()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		m.t.Error("the member does not leave")
	}
}

// failures are the errors that ended memberships.
func (m *member) failures() []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]error(nil), m.errs...)
}

// feed puts n records of each key into topic "in".
func feed(t testing.TB, addrs []string, keys, n int) {
	t.Helper()
	records := make([]brokertest.Record, 0, keys*n)
	for i := range n {
		for k := range keys {
			records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "key-%d", k), Value: fmt.Appendf(nil, "%d%s", i, strings.Repeat(".", 100))})
		}
	}
	brokertest.Produce(t, addrs, "in", records...)
}

// committed asks the broker for the group's offsets of topic "in".
func committed(b *broker.Broker) map[int32]int64 {
	at := map[int32]int64{}
	if info := b.Cluster().GroupInfo(group); info != nil {
		for p, c := range info.Commits["in"] {
			at[p] = c.Offset
		}
	}
	return at
}

// look has the checker look at the flow as it is now.
func look(t testing.TB, b *broker.Broker) findings {
	t.Helper()
	at := committed(b) // first: outputs only grow
	outputs := brokertest.ReadAll(t, b.Addrs(), "out")
	return check(brokertest.ReadAll(t, b.Addrs(), "in"), outputs, at)
}

// caughtUp waits until the group has committed everything in topic "in".
func caughtUp(t testing.TB, b *broker.Broker) {
	t.Helper()
	ends := map[int32]int64{}
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "in") {
		ends[r.Partition] = r.Offset + 1
	}
	until(t, func() bool {
		at := committed(b)
		for p, end := range ends {
			if at[p] != end {
				return false
			}
		}
		return true
	}, "not all is committed")
}

// until waits for a condition; otherwise says what is wrong where it does not
// come true.
func until(t testing.TB, holds func() bool, otherwise string) {
	t.Helper()
	require.Eventually(t, holds, patience, tick, otherwise)
}

// within returns a context that ends with the test, and long before its run
// does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// timeout bounds what is done where no test is at hand.
func timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
