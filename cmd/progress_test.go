package cmd_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/cmd"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func TestProgressCountsFromTheBeginOfTheRun(t *testing.T) {
	t.Parallel()
	p, addrs, brokers := shop(t)
	brokertest.Produce(t, addrs, "orders.placed", brokertest.Record{Value: []byte(`{"customer":"ada","total":1}`)})
	ok(t, p, "run", "--drain", brokers) // this one was done before
	for range 4 {
		brokertest.Produce(t, addrs, "orders.placed", brokertest.Record{Value: []byte(`{"customer":"ada","total":1}`)})
	}

	cfg := kafka.Config{Brokers: addrs}
	admin, err := kafka.NewAdmin(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	g, err := orders().Build()
	require.NoError(t, err)
	r, err := router.New(router.Config{Kafka: cfg}, g)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	progress := cmd.Progress(ctx, admin, r, g)
	ok(t, p, "run", "--drain", brokers)
	require.Equal(t, "progress orders.check=4/4 orders.store=4/4", firstLine(ctx, progress))
}

// firstLine is the first thing that is logged, without the time and the level.
func firstLine(ctx context.Context, logs func(context.Context, *slog.Logger)) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var first string
	logs(ctx, slog.New(cmd.NewTextHandler(writerFunc(func(line []byte) {
		if first == "" {
			first = strings.TrimSpace(string(line[len("15:04:05.000 INFO  "):]))
		}
		cancel()
	}), slog.LevelInfo)))
	return first
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
