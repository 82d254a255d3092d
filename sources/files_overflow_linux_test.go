package sources_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sources"
)

// More notifications come than the kernel keeps while the source waits for its
// first trigger to be stored. The file that came last is found all the same.
func TestWatchFindsWhatLostNotificationsTold(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	require.NoError(t, err)
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)

	dir := t.TempDir()
	a, b := write(t, dir, "a.txt", ""), write(t, dir, "b.txt", "")
	write(t, dir, "first.png", "")
	ctx, stop := context.WithCancel(t.Context())
	src := sources.Files(dir, sources.Glob("*.png"), sources.Watch(), sources.Settle(0))
	var names []string
	err = src.Source(ctx, func(_ context.Context, ts ...fileTrigger) error {
		for _, trigger := range ts {
			names = append(names, trigger.Body.Name)
		}
		if len(names) == 1 {
			// Some are read ahead. Two files in turn, because equal events are merged.
			for i := range limit + 10_000 {
				require.NoError(t, os.Chmod([]string{a, b}[i%2], 0o600))
			}
			write(t, dir, "last.png", "")
		} else {
			stop()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"first.png", "first.png", "last.png"}, names, "a second pass finds both")
}
