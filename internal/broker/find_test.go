package broker_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
	"github.com/penstock/penstock/internal/brokertest"
)

func TestTheSecondBrokerOnADirectoryIsToldOfTheFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startChild(t, dir)

	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	var inUse *broker.InUseError
	require.ErrorAs(t, err, &inUse)
	require.Equal(t, dir, inUse.Dir)
	require.Equal(t, first.addrs, inUse.Addrs)
	require.Equal(t, first.command.Process.Pid, inUse.PID)
	require.ErrorContains(t, err, "is in use by process")

	brokertest.CreateTopic(t, inUse.Addrs, "a", 1)
	brokertest.Produce(t, inUse.Addrs, "a", brokertest.Record{Value: []byte("x")})
	require.Equal(t, []string{"x"}, values(brokertest.ReadAll(t, inUse.Addrs, "a")))
}

func TestFindTellsWhetherABrokerRuns(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")

	_, err := broker.Find(t.Context(), dir)
	require.ErrorIs(t, err, broker.ErrNoData)
	require.NoError(t, os.Mkdir(dir, 0o755))
	_, err = broker.Find(t.Context(), dir)
	require.ErrorIs(t, err, broker.ErrNoData, "no broker ever ran here")

	c := startChild(t, dir)
	addrs, err := broker.Find(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, c.addrs, addrs)

	c.end(t)
	_, err = broker.Find(t.Context(), dir)
	require.ErrorIs(t, err, broker.ErrNotRunning)
	require.NoFileExists(t, filepath.Join(dir, "broker.json"))
}

func TestTheAddressOfAKilledBrokerMeansNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir)
	c.kill()
	require.FileExists(t, filepath.Join(dir, "broker.json"), "the kill left it")

	_, err := broker.Find(t.Context(), dir)
	require.ErrorIs(t, err, broker.ErrNotRunning)

	b := start(t, broker.Config{Dir: dir})
	addrs, err := broker.Find(t.Context(), dir)
	require.NoError(t, err)
	require.Equal(t, b.Addrs(), addrs)
}

// Whoever finds the lock taken believes the address, so the one of a broker that
// was killed must go first of all.
func TestAStartTakesAwayTheAddressOfAKilledBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startChild(t, dir).kill()
	require.FileExists(t, filepath.Join(dir, "broker.json"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cluster", "meta.json"), []byte(`{"version":7}`), 0o600))

	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	require.Error(t, err, "the start comes no further than to the data")
	require.NoFileExists(t, filepath.Join(dir, "broker.json"))
}

func TestFindAndStartWaitForABrokerThatIsStarting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, start(t, broker.Config{Dir: dir}).Close())
	// Another process has the lock, and has not yet said where it listens.
	lock := flock.New(filepath.Join(dir, "broker.lock"))
	locked, err := lock.TryLock()
	require.NoError(t, err)
	require.True(t, locked)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()

	_, err = broker.Find(soon, dir)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "starting or ending")
	_, err = broker.Start(soon, broker.Config{Dir: dir})
	var inUse *broker.InUseError
	require.ErrorAs(t, err, &inUse)
	require.Empty(t, inUse.Addrs)
	require.ErrorContains(t, err, "starting or ending")

	found := make(chan []string)
	go func() {
		addrs, _ := broker.Find(t.Context(), dir)
		found <- addrs
	}()
	// Whole or not at all, as the broker writes it.
	part := filepath.Join(dir, "part")
	require.NoError(t, os.WriteFile(part, []byte(`{"addrs":["127.0.0.1:1"],"pid":1}`), 0o600))
	require.NoError(t, os.Rename(part, filepath.Join(dir, "broker.json")))
	require.Equal(t, []string{"127.0.0.1:1"}, <-found)

	require.NoError(t, os.Remove(filepath.Join(dir, "broker.json")))
	started := make(chan error)
	go func() {
		b, err := broker.Start(t.Context(), broker.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = b.Close()
		}
		started <- err
	}()
	require.NoError(t, lock.Close())
	require.NoError(t, <-started, "Start gets the lock that becomes free")
}
