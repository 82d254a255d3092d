package kafka_test

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	stockkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

func requireSame(t testing.TB, want, got *message.Message) {
	t.Helper()
	require.Equal(t, want.UUID, got.UUID)
	require.Equal(t, want.Metadata, got.Metadata)
	require.Equal(t, want.Payload, got.Payload)
}

func TestWhatWatermillKafkaWroteIsRead(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	pub, err := stockkafka.NewPublisher(stockkafka.PublisherConfig{Brokers: b.Addrs(), Marshaler: stockkafka.DefaultMarshaler{}}, watermill.NopLogger{})
	require.NoError(t, err)
	want := message.NewMessage(watermill.NewUUID(), []byte("payload"))
	want.Metadata.Set("name", "value")
	require.NoError(t, pub.Publish("in", want))
	require.NoError(t, pub.Close())

	cfg := quick(b.Addrs())
	cfg.Batches = false
	sub, err := kafka.NewSubscriber(cfg)
	require.NoError(t, err)
	messages, err := sub.Subscribe(t.Context(), "in")
	require.NoError(t, err)
	got := <-messages
	requireSame(t, want, got)
	got.Ack()
	require.NoError(t, sub.Close())
}

func TestWatermillKafkaReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	want := message.NewMessage(watermill.NewUUID(), []byte("payload"))
	want.Metadata.Set("name", "value")
	require.NoError(t, newPublisher(t, publisherTo(b.Addrs())).Publish("in", want))

	cfg := stockkafka.DefaultSaramaSubscriberConfig()
	cfg.Consumer.Offsets.Initial = sarama.OffsetOldest
	sub, err := stockkafka.NewSubscriber(stockkafka.SubscriberConfig{
		Brokers: b.Addrs(), Unmarshaler: stockkafka.DefaultMarshaler{}, ConsumerGroup: "stock", OverwriteSaramaConfig: cfg,
	}, watermill.NopLogger{})
	require.NoError(t, err)
	messages, err := sub.Subscribe(t.Context(), "in")
	require.NoError(t, err)
	got := <-messages
	requireSame(t, want, got)
	got.Ack()
	require.NoError(t, sub.Close())
}

// The key of a record, its order among headers and a CloudEvent's id survive
// the way into a message.
func TestRecordsOfOtherProducersAreRead(t *testing.T) {
	t.Parallel()
	header := func(k, v string) kafka.Header { return kafka.Header{Key: []byte(k), Value: []byte(v)} }
	for name, c := range map[string]struct {
		headers  []kafka.Header
		uuid     string
		metadata message.Metadata
	}{
		"bare":       {nil, "", message.Metadata{}},
		"watermill":  {[]kafka.Header{header(kafka.UUIDHeader, "w"), header("a", "1")}, "w", message.Metadata{"a": "1"}},
		"cloudevent": {[]kafka.Header{header("ce_id", "c"), header("a", "1"), header("a", "2")}, "c", message.Metadata{"ce_id": "c", "a": "2"}},
		"both":       {[]kafka.Header{header("ce_id", "c"), header(kafka.UUIDHeader, "w")}, "w", message.Metadata{"ce_id": "c"}},
		"no name":    {[]kafka.Header{{}}, "", message.Metadata{"": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := kafka.DefaultMarshaler{}.Unmarshal(&kafka.Record{Value: []byte("v"), Headers: c.headers})
			require.NoError(t, err)
			require.Equal(t, c.uuid, m.UUID)
			require.Equal(t, c.metadata, m.Metadata)
			require.Equal(t, "v", string(m.Payload))
		})
	}
}

// What passes through single messages keeps what the broker stored of it.
func TestHeadersAndTombstonesPassThroughBatches(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	given := []brokertest.Record{
		{Key: []byte{}, Value: nil, Headers: []brokertest.Header{{Key: "a", Value: nil}, {Key: "a", Value: []byte{}}, {Key: "", Value: []byte("x")}}},
		{Key: nil, Value: []byte{}},
	}
	brokertest.Produce(t, b.Addrs(), "in", given...)
	join(t, quick(b.Addrs()), func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			r := &b.Records[i]
			if err := out.Add(b.Entry(i), &kafka.Output{Topic: "out", Key: r.Key, Value: r.Value, Headers: r.Headers, Time: r.Time}); err != nil {
				return err
			}
			out.Settle(b.Entry(i))
		}
		return out.Flush()
	})
	caughtUp(t, b)
	for i, r := range brokertest.ReadAll(t, b.Addrs(), "out") {
		require.Equal(t, given[i].Key, r.Key)
		require.Equal(t, given[i].Value, r.Value)
		require.Equal(t, given[i].Headers, r.Headers)
	}
}
