//go:build unix

package sources_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/sources"
)

func TestFilesFollowsNoLinks(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "in")
	write(t, dir, "a", "")
	write(t, dir, "sub/b", "")
	secret := write(t, parent, "outside/secret", "")
	for name, target := range map[string]string{
		"cycle":      ".",
		"sub/up":     "..",
		"self":       "self",
		"dangling":   "nothing",
		"file":       "a",
		"folder":     "sub",
		"out":        filepath.Dir(secret),
		"out-file":   secret,
		"sub/secret": "../../outside/secret",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	require.Equal(t, []string{"a", "sub/b"}, take(t, dir).names())

	link := filepath.Join(parent, "link")
	require.NoError(t, os.Symlink(dir, link))
	got := take(t, link)
	require.Equal(t, []string{"a", "sub/b"}, got.names(), "the folder itself may be a link")
	require.Equal(t, filepath.Join(link, "a"), got.triggers[0].Body.Path)
}

func TestFilesNamesWhatNoTriggerCanCarry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a\xff", "b\xff/c", "d"} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			require.ErrorIs(t, err, syscall.EILSEQ) // this file system has no such names
			return
		}
	}
	var c taken
	err := sources.Files(dir, sources.Settle(0)).Source(t.Context(), c.emit)
	require.ErrorContains(t, err, `a\xff" is not UTF-8`)
	require.ErrorContains(t, err, `b\xff" is not UTF-8`)
	require.Equal(t, []string{"d"}, c.names())
}

func TestWatchNamesAFolderThatNoTriggerCanCarry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := watch(t, dir)
	write(t, dir, "a", "1")
	w.complete("a", 1)
	if err := os.Mkdir(dir+"/b\xff", 0o755); err != nil {
		require.ErrorIs(t, err, syscall.EILSEQ) // this file system has no such names
		w.end()
		return
	}
	require.ErrorContains(t, <-w.done, `b\xff" is not UTF-8`)
}
