package broker_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/broker"
)

func TestADirectoryThatIsNoGoodIsNamedWithWhatToDo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for name, c := range map[string]struct {
		dir    string
		advice string
	}{
		"is a file":     {file, "it is a file: choose a directory"},
		"under a file":  {filepath.Join(file, "data"), "choose another directory"},
		"not to be had": {"/dev/null/data", "choose another directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := broker.Start(t.Context(), broker.Config{Dir: c.dir})
			require.ErrorContains(t, err, "start the embedded broker: open the data directory "+c.dir)
			require.ErrorContains(t, err, c.advice)
		})
	}
}

func TestDataOfANewerFormatIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, start(t, broker.Config{Dir: dir}).Close())
	meta := filepath.Join(dir, "cluster", "meta.json")
	newer := []byte(`{"version":7,"cluster_id":"x"}`)
	require.NoError(t, os.WriteFile(meta, newer, 0o644))

	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	var version *broker.VersionError
	require.ErrorAs(t, err, &version)
	require.Equal(t, 7, version.Version)
	require.ErrorContains(t, err, "use the newer program")
	content, err := os.ReadFile(meta)
	require.NoError(t, err)
	require.Equal(t, newer, content)

	_, err = broker.Find(t.Context(), dir)
	require.ErrorIs(t, err, broker.ErrNotRunning, "the lock is free again")
}

func TestDamagedDataIsNamed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"cluster/meta.json", "cluster/topics.json", "last-run.json", "log-ends.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, start(t, broker.Config{Dir: dir}).Close())
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o644))

			_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
			require.ErrorContains(t, err, "read the data in "+dir)
			require.ErrorContains(t, err, filepath.Base(name))
			require.ErrorContains(t, err, "to begin anew, remove that directory")
		})
	}
}

func TestABrokerComesBackOnItsPortsUnlessTheyAreTaken(t *testing.T) {
	t.Parallel()
	config := broker.Config{Dir: t.TempDir(), Brokers: 2}
	first := start(t, config)
	require.NoError(t, first.Close())

	second := start(t, config)
	require.Equal(t, first.Addrs(), second.Addrs())
	require.NoError(t, second.Close())

	taken, err := net.Listen("tcp", first.Addrs()[0])
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	third := start(t, config)
	require.NotEqual(t, first.Addrs()[0], third.Addrs()[0])
	require.Equal(t, first.Addrs()[1], third.Addrs()[1])
}

func TestAPortThatIsAskedForIsTakenOrRefused(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()

	_, err = broker.Start(t.Context(), broker.Config{Dir: dir, Port: port})
	require.ErrorContains(t, err, "listen on port "+strconv.Itoa(port)+", which may be taken by another program")
	var opError *net.OpError
	require.ErrorAs(t, err, &opError)

	require.NoError(t, free.Close())
	b := start(t, broker.Config{Dir: dir, Port: port})
	require.Equal(t, []string{"127.0.0.1:" + strconv.Itoa(port)}, b.Addrs())
}
