package cmd_test

import (
	"bufio"
	"context"
	"io"
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
	lines, log := io.Pipe()
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		cmd.LogProgress(ctx, slog.New(cmd.NewTextHandler(log, slog.LevelInfo)), admin, r, g)
		_ = log.Close() // never fails
	}()
	scanner := bufio.NewScanner(lines)
	awaits := func(text string) {
		t.Helper()
		for scanner.Scan() {
			if strings.HasSuffix(scanner.Text(), text) {
				return
			}
		}
		require.Fail(t, "the log ended", "and never said %q", text)
	}
	awaits("progress orders.check=0/4 orders.store=0/0")
	ran := make(chan called)
	go func() { ran <- call(t, p, "run", "--drain", brokers) }()
	awaits("progress orders.check=4/4 orders.store=4/4")
	cancel()
	for scanner.Scan() {
		continue // to its end, so that who logs is not kept waiting
	}
	<-shown
	require.Equal(t, cmd.ExitOK, (<-ran).code)
}
