//go:build kafka

package kafka_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/internal/kafkatest"
	"github.com/penstock/penstock/router/kafka"
)

// realFlow is a flow on the Kafka that tests use, with topics and a group of
// its own.
type realFlow struct {
	t       testing.TB
	addrs   []string
	in, out string
}

func newRealFlow(t *testing.T) *realFlow {
	t.Helper()
	return &realFlow{t: t, addrs: kafkatest.Brokers(t), in: kafkatest.Topic(t, 4), out: kafkatest.Topic(t, 3)}
}

func (f *realFlow) config() kafka.SubscriberConfig {
	cfg := quick(f.addrs)
	cfg.Group = f.in
	cfg.SessionTimeout = 0 // the default
	cfg.Topics = func(string) []string { return []string{f.in} }
	return cfg
}

// copied is as the one for topic "out".
func (f *realFlow) copied(b *kafka.Batch, out *kafka.Outbox) error {
	for i := range b.Records {
		r := &b.Records[i]
		if err := out.Add(b.Entry(i), &kafka.Output{Topic: f.out, Key: r.Key, Value: fmt.Appendf(nil, "%d@%d", r.Partition, r.Offset)}); err != nil {
			return err
		}
		out.Settle(b.Entry(i))
	}
	return out.Flush()
}

// feed puts n records of each of 20 keys into the flow.
func (f *realFlow) feed(n int) {
	f.t.Helper()
	const keys = 20
	var records []brokertest.Record
	for i := range keys * n {
		records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "key-%d", i%keys), Value: make([]byte, 100)})
	}
	brokertest.Produce(f.t, f.addrs, f.in, records...)
}

// committed asks the coordinator.
func (f *realFlow) committed() map[int32]int64 {
	f.t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(f.addrs...), kgo.MaxVersions(kversion.V3_6_0())) // later versions name topics by their id
	require.NoError(f.t, err)
	defer c.Close()
	req := kmsg.NewPtrOffsetFetchRequest()
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group = f.in
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.Partitions = f.in, []int32{0, 1, 2, 3}
	group.Topics = append(group.Topics, topic)
	req.Groups = append(req.Groups, group)
	res, err := req.RequestWith(within(f.t), c)
	require.NoError(f.t, err)
	at := map[int32]int64{}
	for _, g := range res.Groups {
		require.Zero(f.t, g.ErrorCode)
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				require.Zero(f.t, p.ErrorCode)
				at[p.Partition] = p.Offset
			}
		}
	}
	return at
}

func (f *realFlow) caughtUp() {
	f.t.Helper()
	ends := map[int32]int64{}
	for _, r := range brokertest.ReadAll(f.t, f.addrs, f.in) {
		ends[r.Partition] = r.Offset + 1
	}
	until(f.t, func() bool {
		at := f.committed()
		for p, end := range ends {
			if at[p] != end {
				return false
			}
		}
		return true
	}, "not all is committed")
}

func (f *realFlow) look() findings {
	f.t.Helper()
	at := f.committed()
	outs := brokertest.ReadAll(f.t, f.addrs, f.out)
	return check(brokertest.ReadAll(f.t, f.addrs, f.in), outs, at)
}

func TestKafkaTenGracefulStopsRepeatNothing(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	for range 10 {
		var handled atomic.Int32
		m := join(t, f.config(), func(b *kafka.Batch, out *kafka.Outbox) error {
			handled.Add(1)
			return f.copied(b, out)
		})
		f.feed(50)
		until(t, func() bool { return handled.Load() > 0 }, "nothing is handled")
		m.leave() // in the middle
		require.Empty(t, m.failures())
		require.Empty(t, f.look().committed)
	}
	join(t, f.config(), f.copied)
	f.caughtUp()
	require.Equal(t, findings{}, f.look())
}

func TestKafkaMembersComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	var handled [3]atomic.Int32
	var members []*member
	for i := range 3 {
		members = append(members, join(t, f.config(), func(b *kafka.Batch, out *kafka.Outbox) error {
			handled[i].Add(1)
			return f.copied(b, out)
		}))
		until(t, func() bool {
			f.feed(10)
			return handled[i].Load() > 0
		}, "a member is given nothing")
	}
	for _, m := range members[:2] {
		before := handled[2].Load()
		m.leave()
		until(t, func() bool {
			f.feed(10)
			return handled[2].Load() > before
		}, "the last member is given nothing")
	}
	f.caughtUp()
	require.Equal(t, findings{}, f.look())
	for _, m := range members {
		require.Empty(t, m.failures())
	}
}

func TestKafkaRefusesWhatWeRefuse(t *testing.T) {
	t.Parallel()
	addrs, topic := kafkatest.Brokers(t), kafkatest.Topic(t, 1, "max.message.bytes=2000")
	for _, compression := range []kafka.Compression{"", kafka.Gzip, kafka.Snappy, kafka.LZ4, kafka.Zstd} {
		cfg := publisherTo(addrs)
		cfg.Producer.Compression = compression
		p := newPublisher(t, cfg)
		send := func(n int) error {
			return p.Send(t.Context(), kafka.Output{Topic: topic, Value: bytes.Repeat([]byte("x"), n)})
		}
		n := 2000
		for ; n > 0; n-- {
			var large *kafka.TooLargeError
			err := send(n)
			if err == nil {
				break
			}
			require.ErrorAs(t, err, &large, "the broker never has to refuse")
		}
		require.Greater(t, n, 1800, "of compression %q", compression)
	}
	require.Len(t, brokertest.ReadAll(t, addrs, topic), 5)
}

func TestKafkaReadTopicEndsAtTransactionMarkers(t *testing.T) {
	t.Parallel()
	addrs, topic := kafkatest.Brokers(t), kafkatest.Topic(t, 2)
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
	require.NoError(t, err)
	defer c.Close()
	begin(t, c, "kept")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryCommit))
	begin(t, c, "aborted")
	require.NoError(t, c.EndTransaction(within(t), kgo.TryAbort))
	require.Equal(t, []string{"kept"}, readTopic(t, addrs, topic))
	begin(t, c, "open")
	require.Equal(t, []string{"kept"}, readTopic(t, addrs, topic))
	require.NoError(t, c.EndTransaction(within(t), kgo.TryAbort))
}

func TestKafkaTellsTheLag(t *testing.T) {
	t.Parallel()
	f := newRealFlow(t)
	a := newAdmin(t, f.addrs)
	behind := func() (n int64) {
		lags, err := a.Lag(within(t), f.in, f.in)
		require.NoError(t, err)
		require.Len(t, lags, 4)
		for _, l := range lags {
			n += l.Behind()
		}
		return n
	}
	f.feed(5)
	require.EqualValues(t, 100, behind(), "of a group that is not there")
	m := join(t, f.config(), f.copied)
	f.caughtUp()
	m.leave()
	require.Zero(t, behind())
	f.feed(5)
	require.EqualValues(t, 100, behind())
}

func TestKafkaMakesNoTopicsByTheWay(t *testing.T) {
	t.Parallel()
	addrs := kafkatest.Brokers(t)
	misspelt := kafkatest.Topic(t, 1) + "-misspelt"
	require.Error(t, newPublisher(t, publisherTo(addrs)).Publish(misspelt, message.NewMessage("id", nil)))
	names, err := newAdmin(t, addrs).TopicNames(within(t))
	require.NoError(t, err)
	require.NotContains(t, names, misspelt)
}

func TestKafkaWatermillSuiteInOrder(t *testing.T) {
	t.Parallel()
	suite(t, kafkatest.Brokers(t), 1)
}

func TestKafkaWatermillSuite(t *testing.T) {
	t.Parallel()
	suite(t, kafkatest.Brokers(t), 4)
}

// Not parallel: no other test may run while Kafka is away.
func TestKafkaRestartLosesNothing(t *testing.T) {
	f := newRealFlow(t)
	m := join(t, f.config(), f.copied)
	cfg := publisherTo(f.addrs)
	cfg.Marshaler = kafka.DefaultMarshaler{Key: func(_ string, m *message.Message) (string, error) { return m.UUID[:4], nil }}
	p := newPublisher(t, cfg)
	stop, published := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				published <- nil
				return
			default:
			}
			if err := p.Publish(f.in, numbered(50)...); err != nil {
				published <- err
				return
			}
		}
	}()
	for range 2 {
		before := len(brokertest.ReadAll(t, f.addrs, f.out))
		until(t, func() bool { return len(brokertest.ReadAll(t, f.addrs, f.out)) > before }, "nothing moves")
		command := kafkatest.RestartCommand(t)
		output, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	close(stop)
	require.NoError(t, <-published, "it waits for the broker")
	f.caughtUp()
	found := f.look()
	requireRewindsOnly(t, found)
	t.Logf("%d repeated, memberships that failed: %v", found.repeated, m.failures())
}
