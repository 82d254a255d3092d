package kafka_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

func oneToOne(t testing.TB) *broker.Broker {
	t.Helper()
	return brokertest.New(t, brokertest.Topic("in", 1), brokertest.Topic("out", 1))
}

func TestReadingStopsWhenTooMuchIsInFlight(t *testing.T) {
	t.Parallel()
	const size = 1000
	for name, bound := range map[string]func(*kafka.SubscriberConfig){
		"messages": func(c *kafka.SubscriberConfig) { c.MaxInFlight = 100 },
		"bytes":    func(c *kafka.SubscriberConfig) { c.MaxInFlightBytes = 100 * size },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := oneToOne(t)
			h := refuse(b, -1, kerr.NotEnoughReplicas)
			var messages, bytes atomic.Int64
			cfg := quick(b.Addrs())
			cfg.MaxBatch = 16
			bound(&cfg)
			m := join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
				messages.Add(int64(len(b.Records)))
				for i := range b.Records {
					bytes.Add(int64(b.Records[i].Size()))
				}
				return copied(20)(b, out)
			})
			records := make([]brokertest.Record, 500)
			for i := range records {
				records[i] = brokertest.Record{Key: []byte("k"), Value: make([]byte, size)}
			}
			brokertest.Produce(t, b.Addrs(), "in", records...)
			require.NoError(t, h.Wait(within(t), 3))
			if name == "messages" {
				until(t, func() bool { return messages.Load() == 100 }, "it reads up to the bound")
			} else {
				until(t, func() bool { return bytes.Load() > 80*size }, "it reads up to the bound")
			}
			read := messages.Load()
			require.NoError(t, h.Wait(within(t), h.Hits()+3))
			if name == "messages" {
				require.Equal(t, read, messages.Load())
			} else {
				require.LessOrEqual(t, bytes.Load(), int64(101*size+100), "at most one record over")
			}
			h.Remove()
			caughtUp(t, b)
			require.Equal(t, findings{}, look(t, b))
			require.Empty(t, m.failures())
		})
	}
}

// Throttle counts what waits for the broker. What its caller has still to do
// is not waited for: that would be for ever.
func TestThrottleDoesNotWaitForItsCaller(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	cfg := quick(b.Addrs())
	cfg.MaxInFlightBytes = 2000
	join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			if err := copyOne(b, i, out); err != nil {
				return err
			}
			if err := out.Flush(); err != nil {
				return err
			}
			if err := b.Claim.Throttle(b.Claim.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	brokertest.Produce(t, b.Addrs(), "in",
		brokertest.Record{Value: []byte("small")},
		brokertest.Record{Value: make([]byte, 5000)},
		brokertest.Record{Value: make([]byte, 5000)})
	caughtUp(t, b)
	require.Len(t, brokertest.ReadAll(t, b.Addrs(), "out"), 3)
}

func TestThrottleWaitsForTheBroker(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	h := refuse(b, -1, kerr.NotEnoughReplicas)
	var added atomic.Int64
	cfg := quick(b.Addrs())
	cfg.MaxInFlightBytes = 10_000
	join(t, cfg, func(b *kafka.Batch, out *kafka.Outbox) error {
		for i := range b.Records {
			if err := out.Add(b.Entry(i), &kafka.Output{Topic: "out", Value: make([]byte, 4000)}); err != nil {
				return err
			}
			added.Add(1)
			out.Settle(b.Entry(i))
			if err := out.Flush(); err != nil {
				return err
			}
			if err := b.Claim.Throttle(b.Claim.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	brokertest.Produce(t, b.Addrs(), "in", make([]brokertest.Record, 50)...)
	require.NoError(t, h.Wait(within(t), 3))
	require.LessOrEqual(t, added.Load(), int64(3))
	h.Remove()
	caughtUp(t, b)
	require.EqualValues(t, 50, added.Load())
}
