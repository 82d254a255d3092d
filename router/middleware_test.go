package router_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
)

func TestWatermillMiddlewareGoesAroundEachMessage(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var mu sync.Mutex
	var trace []string
	note := func(name string) message.HandlerMiddleware {
		return func(next message.HandlerFunc) message.HandlerFunc {
			return func(m *message.Message) ([]*message.Message, error) {
				mu.Lock()
				trace = append(trace, name+" "+string(m.Payload)+" "+m.Metadata.Get("x-color"))
				mu.Unlock()
				return next(m)
			}
		}
	}
	change := func(next message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			m.Payload = []byte(strings.ToUpper(string(m.Payload)))
			made, err := next(m)
			for _, out := range made {
				out.Metadata.Set("x-added", "yes")
				out.Payload = append(out.Payload, '!')
			}
			return append(made, message.NewMessage("own-id", []byte("extra"))), err
		}
	}
	p := pipeline.New("mw")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "work", filters.Map(same), pipeline.Use(note("outer"), note("inner"), change), pipeline.Open())
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "mw.in", brokertest.Record{
		Key: []byte("k"), Value: []byte("a"), Headers: []brokertest.Header{{Key: "x-color", Value: []byte("red")}},
	})
	r.drained()
	require.Equal(t, []string{"outer a red", "inner a red"}, trace)
	out := brokertest.ReadAll(t, addrs, "mw.work")
	require.Len(t, out, 2)
	require.Equal(t, "A!", string(out[0].Value))
	require.Equal(t, "yes", header(out[0], "x-added"))
	require.Len(t, header(out[0], "ce_id"), 22, "derived: the middleware did not name it")
	require.Equal(t, "extra", string(out[1].Value))
	require.Equal(t, "own-id", header(out[1], "ce_id"))
	require.Equal(t, []byte("k"), out[1].Key, "what middleware makes has the parent's key")
}

func TestMiddlewareThatTriesAgainCountsOnce(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	calls := 0
	again := func(next message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			if _, err := next(m); err != nil {
				return next(m)
			}
			return next(m)
		}
	}
	p := pipeline.New("mw")
	in := pipeline.NewPipe[[]byte](p, "in")
	pipeline.Stage(in, "work", filters.Map(func(_ context.Context, v []byte) ([]byte, error) {
		calls++
		if calls == 1 {
			return nil, errBoom
		}
		return v, nil
	}), pipeline.Use(again), pipeline.Retry(1, pipeline.Constant(time.Millisecond)), pipeline.Open())
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "mw.in", brokertest.Record{Value: []byte("a")})
	r.drained()
	require.Equal(t, 2, calls)
	require.Len(t, brokertest.ReadAll(t, addrs, "mw.work"), 1, "only the outputs of the last call count")
	require.Empty(t, brokertest.ReadAll(t, addrs, "mw.work.poison"))
}
