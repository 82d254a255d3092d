package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// newPublisher makes a Publisher that is closed when the test ends.
func newPublisher(t testing.TB, cfg kafka.PublisherConfig) *kafka.Publisher {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	p, err := kafka.NewPublisher(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func publisherTo(addrs []string) kafka.PublisherConfig {
	return kafka.PublisherConfig{Config: kafka.Config{Brokers: addrs}}
}

func numbered(n int) []*message.Message {
	messages := make([]*message.Message, n)
	for i := range messages {
		messages[i] = message.NewMessage(fmt.Sprint("id-", i), fmt.Append(nil, i))
	}
	return messages
}

func TestPublishSendsTogetherAndReturnsWhenAllIsStored(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	seen := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1})
	p := newPublisher(t, publisherTo(b.Addrs()))
	require.NoError(t, p.Publish("out", numbered(1000)...))
	records := brokertest.ReadAll(t, b.Addrs(), "out")
	require.Len(t, records, 1000)
	for i, r := range records {
		require.Equal(t, fmt.Sprint(i), string(r.Value))
		require.Nil(t, r.Key)
	}
	require.LessOrEqual(t, seen.Hits(), 2, "requests to write")
	require.NoError(t, p.Publish("out"), "nothing is nothing to do")
}

func TestPublishAsksForATopicOnce(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	asked := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Observe: true, Count: -1})
	p := newPublisher(t, publisherTo(b.Addrs()))
	for _, m := range numbered(20) {
		require.NoError(t, p.Publish("out", m))
	}
	require.Equal(t, 1, asked.Hits())
}

func TestPublishRefusesWhatItsTopicWouldRefuse(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1, "max.message.bytes=2000"))
	p := newPublisher(t, publisherTo(b.Addrs()))
	err := p.Publish("out", message.NewMessage("small", []byte("x")), message.NewMessage("large", make([]byte, 2000)))
	var large *kafka.TooLargeError
	require.ErrorAs(t, err, &large)
	require.Equal(t, "out", large.Topic)
	require.Equal(t, 2000, large.Limit)
	require.Greater(t, large.Size, large.Limit)
	require.Empty(t, brokertest.ReadAll(t, b.Addrs(), "out"), "nothing of the call is sent")

	// What just fits is stored by the broker.
	fits := func(n int) error {
		return p.Send(t.Context(), kafka.Output{Topic: "out", Value: make([]byte, n)})
	}
	n := 2000
	for ; fits(n) != nil; n-- {
		require.Positive(t, n)
	}
	require.ErrorAs(t, fits(n+1), &large)
	require.Equal(t, 2001, large.Size)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 1)
}

func TestPublisherRecoversFromAFatalFault(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	p := newPublisher(t, publisherTo(b.Addrs()))
	for _, fault := range []*kerr.Error{kerr.InvalidProducerEpoch, kerr.MessageTooLarge, kerr.TopicAuthorizationFailed} {
		refuse(b, 1, fault)
		err := p.Publish("out", numbered(3)...)
		require.ErrorContains(t, err, "not stored")
		require.NoError(t, p.Publish("out", numbered(3)...), "after %v", fault)
	}
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 9)
}

func TestPublishIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	const callers, calls = 16, 50
	b := brokertest.New(t, brokertest.Topic("out", 4))
	cfg := publisherTo(b.Addrs())
	cfg.Marshaler = kafka.DefaultMarshaler{Key: func(_ string, m *message.Message) (string, error) { return m.UUID, nil }}
	p := newPublisher(t, cfg)
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for i := range callers {
		wg.Go(func() {
			for n := range calls {
				errs[i] = errors.Join(errs[i], p.Publish("out", message.NewMessage(fmt.Sprint(i), fmt.Append(nil, n))))
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	next := map[string]int{}
	for _, r := range brokertest.ReadAll(t, b.Addrs(), "out") {
		require.Equal(t, fmt.Sprint(next[string(r.Key)]), string(r.Value), "of caller %s", r.Key)
		next[string(r.Key)]++
	}
	require.Len(t, next, callers)
}

// awaitClosing waits until Close has begun, with messages that are never sent.
func awaitClosing(t testing.TB, p *kafka.Publisher) {
	t.Helper()
	large := message.NewMessage("large", make([]byte, 2<<20))
	until(t, func() bool { return errors.Is(p.Publish("out", large), kafka.ErrClosed) }, "it is not closing")
}

func TestClosingDeliversWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	p := newPublisher(t, publisherTo(b.Addrs()))
	published := make(chan error, 1)
	go func() { published <- p.Publish("out", numbered(3)...) }()
	require.NoError(t, h.Wait(within(t), 2))
	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- p.Close() }()
	}
	awaitClosing(t, p)
	require.Empty(t, closed)
	h.Remove()
	require.NoError(t, <-published)
	require.NoError(t, <-closed)
	require.NoError(t, <-closed)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 3)
}

// A delivery that fails for good while Close waits for it fences the producer,
// and what the fence calls must not wait for Close.
func TestClosingSurvivesAFatalFault(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	cfg := publisherTo(b.Addrs())
	p := newPublisher(t, cfg)
	published := make(chan error, 1)
	go func() { published <- p.Publish("out", numbered(3)...) }()
	require.NoError(t, h.Wait(within(t), 2))
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	awaitClosing(t, p)
	refuse(b, 1, kerr.InvalidProducerEpoch)
	h.Remove()
	select {
	case err := <-closed:
		require.Error(t, err)
	case <-time.After(patience):
		t.Fatal("Close does not return")
	}
	require.Error(t, <-published)
}

func TestClosingGivesUpAtItsDeadline(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	cfg := publisherTo(b.Addrs())
	cfg.CloseTimeout = 50 * time.Millisecond
	p := newPublisher(t, cfg)
	published := make(chan error, 1)
	go func() { published <- p.Publish("out", numbered(3)...) }()
	require.NoError(t, h.Wait(within(t), 2))
	require.Error(t, p.Close())
	require.Error(t, <-published)
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := brokertest.New(t, brokertest.Topic("out", 1))
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	p := newPublisher(t, publisherTo(b.Addrs()))
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- p.Send(ctx, kafka.Output{Topic: "out", Value: []byte("x")}) }()
	require.NoError(t, h.Wait(within(t), 1))
	cancel()
	require.ErrorIs(t, <-sent, context.Canceled)
	h.Remove()
	until(t, func() bool { return len(brokertest.ReadAll(t, b.Addrs(), "out")) == 1 }, "the delivery goes on")
}

func TestClosingDoesNotWaitForABrokerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	addr := deafBroker(t, func() { dials.Add(1) })
	p := newPublisher(t, publisherTo([]string{addr}))
	published := make(chan error, 1)
	go func() { published <- p.Publish("out", numbered(1)...) }()
	until(t, func() bool { return dials.Load() > 0 }, "it does not connect")
	require.NoError(t, p.Close())
	require.ErrorIs(t, <-published, kafka.ErrClosed)
}
