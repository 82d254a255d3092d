package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/kafka"
)

// stock runs a Watermill router with one stock handler from "in" to "out". The
// function that is returned stops it.
func stock(t testing.TB, addrs []string, h message.HandlerFunc) (stop func()) {
	t.Helper()
	cfg := quick(addrs)
	cfg.Batches = false
	cfg.NackBackoff = tick
	sub, err := kafka.NewSubscriber(cfg)
	require.NoError(t, err)
	pcfg := publisherTo(addrs)
	pcfg.Marshaler = kafka.DefaultMarshaler{Key: func(_ string, m *message.Message) (string, error) { return m.Metadata.Get("key"), nil }}
	pub := newPublisher(t, pcfg)
	r, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	require.NoError(t, err)
	r.AddHandler("stock", "in", sub, "out", pub, h)
	done := make(chan error, 1)
	go func() { done <- r.Run(context.WithoutCancel(t.Context())) }()
	stop = func() {
		if done == nil {
			return
		}
		require.NoError(t, r.Close())
		require.NoError(t, <-done)
		require.NoError(t, sub.Close())
		done = nil
	}
	t.Cleanup(stop)
	return stop
}

// feedMessages publishes n messages of each key to "in".
func feedMessages(t testing.TB, addrs []string, keys, n int) {
	t.Helper()
	cfg := publisherTo(addrs)
	cfg.Marshaler = kafka.DefaultMarshaler{Key: func(_ string, m *message.Message) (string, error) { return m.Metadata.Get("key"), nil }}
	var messages []*message.Message
	for i := range n {
		for k := range keys {
			m := message.NewMessage(fmt.Sprintf("%d-%d", k, i), fmt.Append(nil, i))
			m.Metadata.Set("key", fmt.Sprint(k))
			messages = append(messages, m)
		}
	}
	require.NoError(t, newPublisher(t, cfg).Publish("in", messages...))
}

func passOn(m *message.Message) ([]*message.Message, error) {
	out := message.NewMessage(m.UUID, m.Payload)
	out.Metadata.Set("key", m.Metadata.Get("key"))
	return []*message.Message{out}, nil
}

// requireSequences wants every key's numbers in order, each once.
func requireSequences(t testing.TB, records []brokertest.Record, keys, n int) {
	t.Helper()
	next := map[string]int{}
	for _, r := range records {
		require.Equal(t, fmt.Sprint(next[string(r.Key)]), string(r.Value), "of key %s", r.Key)
		next[string(r.Key)]++
	}
	require.Len(t, next, keys)
	for key, got := range next {
		require.Equal(t, n, got, "of key %s", key)
	}
}

func TestStockHandlersKeepOrderAndRepeatNothingOverStops(t *testing.T) {
	t.Parallel()
	const keys, rounds, each = 5, 4, 30
	b := newFlow(t)
	feedMessages(t, b.Addrs(), keys, rounds*each)
	var handled atomic.Int32
	for range rounds - 1 {
		handled.Store(0)
		stop := stock(t, b.Addrs(), func(m *message.Message) ([]*message.Message, error) {
			handled.Add(1)
			return passOn(m)
		})
		until(t, func() bool { return handled.Load() > 20 }, "nothing is handled")
		stop() // in the middle
	}
	stock(t, b.Addrs(), passOn)
	caughtUp(t, b)
	requireSequences(t, brokertest.ReadAll(t, b.Addrs(), "out"), keys, rounds*each)
}

func TestARefusedMessageIsDeliveredAgainBeforeTheNext(t *testing.T) {
	t.Parallel()
	b := newFlow(t)
	feedMessages(t, b.Addrs(), 4, 30)
	var calls atomic.Int32
	stock(t, b.Addrs(), func(m *message.Message) ([]*message.Message, error) {
		if calls.Add(1)%7 == 0 {
			return nil, errors.New("not now")
		}
		return passOn(m)
	})
	caughtUp(t, b)
	requireSequences(t, brokertest.ReadAll(t, b.Addrs(), "out"), 4, 30)
	require.Greater(t, calls.Load(), int32(4*30))
}

// unreadable refuses what begins with "bad".
type unreadable struct{ kafka.DefaultMarshaler }

func (u unreadable) Unmarshal(r *kafka.Record) (*message.Message, error) {
	if strings.HasPrefix(string(r.Value), "bad") {
		return nil, errors.New("cannot be read")
	}
	return u.DefaultMarshaler.Unmarshal(r)
}

// What the marshaler refuses is not skipped: the membership fails and says so.
func TestWhatCannotBeUnmarshalledIsNotSkipped(t *testing.T) {
	t.Parallel()
	b := oneToOne(t)
	brokertest.Produce(t, b.Addrs(), "in", brokertest.Record{Value: []byte("good")}, brokertest.Record{Value: []byte("bad")}, brokertest.Record{Value: []byte("behind")})
	failed := make(chan error, 1)
	cfg := quick(b.Addrs())
	cfg.Batches, cfg.Marshaler = false, unreadable{}
	cfg.OnError = func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	sub, err := kafka.NewSubscriber(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, sub.Close()) }()
	messages, err := sub.Subscribe(t.Context(), "in")
	require.NoError(t, err)
	m := <-messages
	require.Equal(t, "good", string(m.Payload))
	m.Ack()
	require.ErrorContains(t, <-failed, "unmarshal in/0@1: cannot be read")
	require.EqualValues(t, 1, committed(b)[0])
}
