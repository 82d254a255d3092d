package retrylog_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/retrylog"
)

func TestLogsAreLoadedAsTheyWereSaved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logs")
	logs := map[string][]retrylog.Record{"a": {
		{Topic: "a", Partition: 2, Offset: 7, Time: time.UnixMilli(1_000_000_000_000).UTC(), Removed: 7, Event: retrylog.Event{Kind: retrylog.Scan, Epoch: 3}},
		{Topic: "a", Partition: 2, Offset: 8, Key: []byte("k"), Value: "v", Headers: "h", Event: retrylog.Event{
			Kind: retrylog.Park, Parked: retrylog.Parked{Entry: retrylog.Entry{Topic: [16]byte{1}, Offset: 4}, Rank: -1, Prev: -1, Attempts: 2, Held: true},
		}},
	}}
	require.NoError(t, retrylog.Save(path, logs))
	loaded, err := retrylog.Load(path)
	require.NoError(t, err)
	require.Equal(t, logs, loaded)

	require.ErrorIs(t, retrylog.Save(path, logs), os.ErrExist)
	require.NoError(t, os.Truncate(path, 10))
	_, err = retrylog.Load(path)
	require.Error(t, err)
}
