package sources_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/sources"
)

// watching is a source that watches a folder in the background.
type watching struct {
	t        *testing.T
	triggers chan fileTrigger
	done     chan error
	stop     context.CancelFunc
	put      map[string]bool // ids, as the router remembers them
}

func watch(t *testing.T, dir string, opts ...sources.FilesOption) *watching {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := &watching{t: t, triggers: make(chan fileTrigger), done: make(chan error, 1), stop: stop, put: map[string]bool{}}
	src := sources.Files(dir, append([]sources.FilesOption{sources.Watch(), sources.Settle(10 * time.Millisecond)}, opts...)...)
	go func() {
		w.done <- src.Source(ctx, func(ctx context.Context, ts ...fileTrigger) error {
			for _, trigger := range ts {
				if w.put[trigger.ID] {
					continue
				}
				w.put[trigger.ID] = true
				select {
				case w.triggers <- trigger:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}()
	return w
}

// next is the next file that was not put before.
func (w *watching) next() sources.File {
	w.t.Helper()
	select {
	case trigger := <-w.triggers:
		return trigger.Body
	case err := <-w.done:
		require.FailNow(w.t, "the source ended", "%v", err)
	case <-time.After(30 * time.Second):
		require.FailNow(w.t, "no file was taken")
	}
	return sources.File{}
}

// complete waits for the version of a file that has this size.
func (w *watching) complete(name string, size int64) {
	w.t.Helper()
	for {
		f := w.next()
		require.Equal(w.t, name, f.Name)
		if f.Size == size {
			return
		}
	}
}

func (w *watching) end() {
	w.t.Helper()
	w.stop()
	require.ErrorIs(w.t, <-w.done, context.Canceled)
}

func TestWatchIsNotFinite(t *testing.T) {
	t.Parallel()
	p := pipeline.New("thumbnails")
	pipeline.Source(p, "images", sources.Files(t.TempDir(), sources.Watch()), pipeline.Open())
	graph, err := p.Build()
	require.NoError(t, err)
	require.False(t, graph.Sources[0].Finite)
	require.True(t, graph.Sources[0].Once)
}

func TestWatchTakesWhatComesAndChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a", "1")
	w := watch(t, dir)
	w.complete("a", 1)

	write(t, dir, "b", "12")
	w.complete("b", 2)
	write(t, dir, "a", "123")
	w.complete("a", 3)

	at := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "a"), at, at))
	require.Equal(t, at.UTC().Truncate(time.Microsecond), w.next().ModTime.Truncate(time.Microsecond), "a new time alone is a change")

	outside := write(t, t.TempDir(), "c", "1234")
	require.NoError(t, os.Rename(outside, filepath.Join(dir, "c")))
	w.complete("c", 4)
	w.end()
}

func TestWatchEntersNewFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "sub/a", "1")
	w := watch(t, dir)
	w.complete("sub/a", 1)

	write(t, dir, "sub/deep/deeper/b", "12")
	w.complete("sub/deep/deeper/b", 2)
	write(t, dir, "sub/deep/deeper/c", "123")
	w.complete("sub/deep/deeper/c", 3)

	// A folder that comes whole.
	tree := t.TempDir()
	write(t, tree, "x/y/d", "1234")
	require.NoError(t, os.Rename(filepath.Join(tree, "x"), filepath.Join(dir, "x")))
	w.complete("x/y/d", 4)
	write(t, dir, "x/y/e", "12345")
	w.complete("x/y/e", 5)
	w.end()
}

func TestWatchFollowsARenamedFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "old/sub/a", "1")
	w := watch(t, dir)
	w.complete("old/sub/a", 1)

	require.NoError(t, os.Rename(filepath.Join(dir, "old"), filepath.Join(dir, "new")))
	w.complete("new/sub/a", 1)
	write(t, dir, "new/sub/b", "12")
	w.complete("new/sub/b", 2)

	// The old name again, for another folder.
	write(t, dir, "old/sub/c", "123")
	w.complete("old/sub/c", 3)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "old")))
	write(t, dir, "old/sub/d", "1234")
	w.complete("old/sub/d", 4)
	w.end()
}

func TestWatchLeavesOutWhatThePassDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := watch(t, dir, sources.Glob("*.png"), sources.Exclude("tmp"))
	write(t, dir, "first.png", "1")
	w.complete("first.png", 1)
	for _, name := range []string{".hidden.png", ".git/a.png", "tmp/a.png", "a.txt"} {
		write(t, dir, name, "1")
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, "first.png"), filepath.Join(dir, "link.png")))
	write(t, dir, "last.png", "12") // after all the others, so also heard of after them
	w.complete("last.png", 2)
	w.end()

	write(t, dir, "sub/a.png", "1")
	flat := watch(t, dir, sources.Glob("*.png"), sources.Flat())
	flat.complete("first.png", 1)
	flat.complete("last.png", 2)
	write(t, dir, "sub/b.png", "1")
	write(t, dir, "sub2/b.png", "1")
	write(t, dir, "zz.png", "123")
	flat.complete("zz.png", 3)
	flat.end()
}

func TestWatchEndsWhenTheFolderGoes(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"renamed": func(dir string) error { return os.Rename(dir, dir+"2") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "in")
			write(t, dir, "a", "1")
			w := watch(t, dir)
			w.complete("a", 1)
			require.NoError(t, leave(dir))
			require.ErrorContains(t, <-w.done, "folder "+dir+" was removed or renamed while it was watched")
		})
	}
}
