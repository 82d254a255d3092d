package sources_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sources"
)

// In these tests the files are real and the clock is a synctest bubble's. It
// begins in the past, so that a file's own time says nothing until it is set.

func age(t *testing.T, file string, d time.Duration) {
	t.Helper()
	at := time.Now().Add(-d)
	require.NoError(t, os.Chtimes(file, at, at))
}

func TestFilesTakesAtOnceWhatHasSettled(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		age(t, write(t, dir, "old", ""), time.Second)
		age(t, write(t, dir, "just", ""), 500*time.Millisecond)
		begun := time.Now()
		var c taken
		require.NoError(t, sources.Files(dir).Source(t.Context(), c.emit))
		require.Equal(t, []string{"just", "old"}, c.names())
		require.Equal(t, begun, time.Now(), "the bubble's clock stood still")
	})
}

func TestFilesWaitsForAFileToStandStill(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		age(t, write(t, dir, "a-young", ""), 499*time.Millisecond)
		write(t, dir, "from-the-future", "")
		age(t, write(t, dir, "old", ""), time.Hour)
		begun := time.Now()
		var c taken
		require.NoError(t, sources.Files(dir).Source(t.Context(), c.emit))
		require.Equal(t, []string{"old", "a-young", "from-the-future"}, c.names())
		require.Equal(t, 500*time.Millisecond, time.Since(begun))
	})
}

func TestFilesDoesNotTakeAFileThatGrows(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		write(t, dir, "a", "")
		growing := write(t, dir, "growing", "1")
		stop := make(chan struct{})
		stopped := make(chan error)
		go func() {
			var err error
			for data := []byte("12"); err == nil; data = append(data, 'x') {
				select {
				case <-time.After(100 * time.Millisecond):
					err = os.WriteFile(growing, data, 0o600)
				case <-stop:
					stopped <- nil
					return
				}
			}
			stopped <- err
		}()
		src := sources.Files(dir)
		var c taken
		err := src.Source(t.Context(), c.emit)
		require.ErrorContains(t, err, filepath.Join(dir, "growing")+" is still being written")
		require.Equal(t, []string{"a"}, c.names())

		close(stop)
		require.NoError(t, <-stopped)
		info, err := os.Stat(growing)
		require.NoError(t, err)
		c = taken{}
		require.NoError(t, src.Source(t.Context(), c.emit))
		require.Equal(t, []string{"a", "growing"}, c.names())
		require.Equal(t, info.Size(), c.triggers[1].Body.Size)
	})
}

func TestFilesLeavesOutWhatVanishesWhileItSettles(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		write(t, dir, "a", "")
		gone := write(t, dir, "gone", "")
		nowFolder := write(t, dir, "now-folder", "")
		nowFile := filepath.Dir(write(t, dir, "now-file/below", ""))
		time.AfterFunc(100*time.Millisecond, func() {
			require.NoError(t, os.Remove(gone))
			require.NoError(t, os.Remove(nowFolder))
			require.NoError(t, os.Mkdir(nowFolder, 0o755))
			require.NoError(t, os.RemoveAll(nowFile))
			require.NoError(t, os.WriteFile(nowFile, nil, 0o600))
		})
		var c taken
		require.NoError(t, sources.Files(dir).Source(t.Context(), c.emit))
		require.Equal(t, []string{"a"}, c.names())
	})
}

// A change of the size alone, or of the time alone, begins the wait again.
func TestFilesSeesBothKindsOfChange(t *testing.T) {
	for name, change := range map[string]func(file string, at time.Time) error{
		"size": func(file string, at time.Time) error {
			return errors.Join(os.WriteFile(file, []byte("more"), 0o600), os.Chtimes(file, at, at))
		},
		"time": func(file string, at time.Time) error {
			return os.Chtimes(file, at.Add(1), at.Add(1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				file := write(t, dir, "a", "1")
				future := time.Now().Add(time.Hour)
				require.NoError(t, os.Chtimes(file, future, future))
				time.AfterFunc(100*time.Millisecond, func() { require.NoError(t, change(file, future)) })
				var c taken
				require.ErrorContains(t, sources.Files(dir).Source(t.Context(), c.emit), "still being written")
				require.Empty(t, c.names())
			})
		})
	}
}
