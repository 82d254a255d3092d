package sources_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sources"
)

// asNobody runs f without the superuser's right to read everything.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := syscall.Setfsuid(65534); err != nil {
			t.Errorf("give up the superuser's rights: %v", err)
			return
		}
		f()
	}()
	<-done
}

func TestFilesNamesFoldersItCannotReadAndTakesAllElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	write(t, dir, "a", "")
	write(t, dir, "closed/b", "")
	write(t, dir, "open/c", "")
	closed := filepath.Join(dir, "closed")
	require.NoError(t, os.Chmod(closed, 0))
	defer func() { require.NoError(t, os.Chmod(closed, 0o755)) }()

	for name, opts := range map[string][]sources.FilesOption{
		"pass":  {sources.Settle(0)},
		"watch": {sources.Settle(0), sources.Watch()},
	} {
		var c taken
		var err error
		asNobody(t, func() { err = sources.Files(dir, opts...).Source(t.Context(), c.emit) })
		require.ErrorIs(t, err, os.ErrPermission, name)
		require.ErrorContains(t, err, "read folder "+closed+": permission denied; let this user read it, or leave it out with sources.Exclude")
		require.Equal(t, []string{"a", "open/c"}, c.names(), name)
	}
	asNobody(t, func() {
		require.Equal(t, []string{"a", "open/c"}, take(t, dir, sources.Exclude("closed")).names())
	})
}
