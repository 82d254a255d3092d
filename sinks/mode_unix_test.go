//go:build unix

package sinks_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sinks"
)

func TestWriteFileGivesTheMode(t *testing.T) { // alone: the umask is the process's
	dir := filepath.Join(t.TempDir(), "out")
	write := func(umask int, name string, opts ...sinks.FilesOption) {
		before := syscall.Umask(umask)
		defer syscall.Umask(before)
		require.NoError(t, sinks.WriteFile(dir, name, nil, opts...))
	}
	write(0, "default/a")
	write(0, "b", sinks.Mode(0o600))
	write(0, "b", sinks.Mode(0o666|fs.ModeSetuid)) // it has a new mode when it is replaced
	write(0o077, "c", sinks.Mode(0o666))
	for name, want := range map[string]fs.FileMode{
		".": fs.ModeDir | 0o755, "default": fs.ModeDir | 0o755, "default/a": 0o644, "b": 0o666, "c": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, info.Mode(), name)
	}
}
