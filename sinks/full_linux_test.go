package sinks_test

import (
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sinks"
)

// The system ends a write in the middle, as it does when the disk is full: here at
// the size that a file of this process may have.
func TestWriteFileOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, sinks.WriteFile(dir, "a", []byte("before")))
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: limit.Max}))
	err := sinks.WriteFile(dir, "a", make([]byte, 2<<20))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))

	require.ErrorIs(t, err, syscall.EFBIG)
	require.ErrorContains(t, err, "write "+filepath.Join(dir, "a"))
	verdict, _ := pipeline.Judge(err)
	require.Equal(t, pipeline.Again, verdict)
	require.Equal(t, map[string]string{"a": "before"}, tree(t, dir), "the old file is whole, and no part of the new one is left")
}

func TestWriteFileWithoutPermission(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, sinks.WriteFile(dir, "a", []byte("before")))
	require.NoError(t, os.Chmod(dir, 0o555))
	for _, name := range []string{"a", "sub/b"} {
		var err error
		asNobody(t, func() { err = sinks.WriteFile(dir, name, []byte("after")) })
		require.ErrorIs(t, err, os.ErrPermission)
		require.ErrorContains(t, err, filepath.Join(dir, name))
		verdict, _ := pipeline.Judge(err)
		require.Equal(t, pipeline.Again, verdict)
	}
	require.NoError(t, os.Chmod(dir, 0o755))
	require.Equal(t, map[string]string{"a": "before"}, tree(t, dir))
}

// asNobody runs f without the superuser's right to write everywhere.
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
