package broker_test

import (
	"bytes"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock/penstock/internal/broker"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(runChild(dir))
	}
	// sarama counts its requests by a library that starts a clock for good.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

// start starts a broker that is closed when the test ends.
func start(t testing.TB, config broker.Config) *broker.Broker {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	b, err := broker.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestItSaysOnceWhatItIsForAndWhereItIs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	dir := t.TempDir()
	b := start(t, broker.Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})

	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")), "%s", log.String())
	require.Contains(t, log.String(), "level=INFO")
	require.Contains(t, log.String(), "for development and tests only")
	require.Contains(t, log.String(), dir)
	require.Contains(t, log.String(), b.Addrs()[0])
}

func TestClosingTwiceIsFine(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{Dir: t.TempDir()})
	require.NoError(t, b.Close())
	require.NoError(t, b.Close())
}

func TestAWrongConfigurationIsRefusedWithAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := broker.Start(t.Context(), broker.Config{Port: 70000, Brokers: -1, RetentionInterval: -1, MinSessionTimeout: -1})
	require.ErrorContains(t, err, "port 70000")
	require.ErrorContains(t, err, "number of brokers")
	require.ErrorContains(t, err, "retention interval")
	require.ErrorContains(t, err, "session timeout")
}
