package sources

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/pipeline"
)

// fakeNotifier is a system whose notifications the test makes up, in a synctest
// bubble. The folder is real.
type fakeNotifier struct {
	events chan fsnotify.Event
	errors chan error
	addErr map[string]error
	opened int
	closed int
}

func newFakeNotifier() *fakeNotifier {
	return &fakeNotifier{events: make(chan fsnotify.Event), errors: make(chan error), addErr: map[string]error{}}
}

func (n *fakeNotifier) Add(path string) error { return n.addErr[filepath.Base(path)] }
func (n *fakeNotifier) Remove(string) error   { return fsnotify.ErrNonExistentWatch }
func (n *fakeNotifier) Close() error          { n.closed++; return nil }

func (n *fakeNotifier) open() (*watcher, error) {
	n.opened++
	return &watcher{notifier: n, events: n.events, errors: n.errors, folders: map[string]struct{}{}}, nil
}

// start watches dir, and returns the names that were taken since the last call.
func (n *fakeNotifier) start(t *testing.T, dir string, opts ...FilesOption) (names func() []string, done chan error) {
	t.Helper()
	src := Files(dir, append([]FilesOption{Watch()}, opts...)...).(*filesSource)
	src.openWatcher = n.open
	src.maxSettling = 2
	var (
		mu  sync.Mutex
		got []string
	)
	done = make(chan error, 1)
	go func() {
		done <- src.Source(t.Context(), func(_ context.Context, ts ...pipeline.Trigger[File]) error {
			mu.Lock()
			defer mu.Unlock()
			for _, trigger := range ts {
				got = append(got, trigger.Body.Name)
			}
			return nil
		})
	}()
	return func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		names := got
		got = nil
		return names
	}, done
}

func put(t *testing.T, dir, name, data string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(data), 0o600))
	return file
}

// after lets the bubble's clock go on.
func after(d time.Duration) { <-time.After(d) }

func TestWatchDebouncesAFileThatIsWritten(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNotifier()
		names, done := n.start(t, dir)
		require.Empty(t, names())
		for i := range 19 {
			file := put(t, dir, "a", fmt.Sprint(i))
			now := time.Now() // the bubble's
			require.NoError(t, os.Chtimes(file, now, now))
			n.events <- fsnotify.Event{Name: file, Op: fsnotify.Write}
			after(499 * time.Millisecond)
			require.Empty(t, names(), "it changed less than the 500 ms of Settle ago")
		}
		after(126 * time.Millisecond) // it looks four times in this time
		require.Equal(t, []string{"a"}, names())
		close(n.events)
		require.ErrorIs(t, <-done, errNotWatching)
	})
}

func TestWatchSkipsAFolderThatVanishes(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		put(t, dir, "a", "")
		put(t, dir, "sub/b", "")
		n := newFakeNotifier()
		n.addErr["sub"] = syscall.ENOENT
		names, done := n.start(t, dir, Settle(0))
		require.Equal(t, []string{"a"}, names())
		close(n.events)
		require.ErrorIs(t, <-done, errNotWatching)
	})
}

func TestWatchPassesAgainWhenNotificationsAreLost(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNotifier()
		names, done := n.start(t, dir, Settle(0))
		require.Empty(t, names())
		put(t, dir, "sub/a", "")
		n.errors <- fsnotify.ErrEventOverflow
		require.Equal(t, []string{"sub/a"}, names())
		require.Equal(t, 2, n.opened, "folders are watched anew")

		broken := errors.New("broken")
		n.errors <- broken
		require.ErrorIs(t, <-done, broken)
		require.Equal(t, n.opened, n.closed)
	})
}

func TestWatchPassesAgainWhenTooManyFilesSettle(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNotifier()
		names, done := n.start(t, dir)
		require.Empty(t, names())
		for i := range 5 { // there is room for 2
			n.events <- fsnotify.Event{Name: put(t, dir, fmt.Sprint(i), ""), Op: fsnotify.Create}
		}
		after(time.Minute)
		require.Subset(t, names(), []string{"0", "1", "2", "3", "4"})
		close(n.errors)
		require.ErrorIs(t, <-done, errNotWatching)
	})
}

func TestWatchExplainsTheLimitOfWatchedFolders(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		put(t, dir, "a", "")
		put(t, dir, "sub/b", "")
		n := newFakeNotifier()
		n.addErr["sub"] = syscall.ENOSPC
		names, done := n.start(t, dir, Settle(0))
		err := <-done
		require.ErrorContains(t, err, "watch "+filepath.Join(dir, "sub")+": the system's limit of watched folders is reached")
		require.ErrorContains(t, err, "fs.inotify.max_user_watches")
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Equal(t, []string{"a", "sub/b"}, names(), "all is taken nevertheless")
	})
}

func TestWatchExplainsTheLimitOfWatchers(t *testing.T) {
	t.Parallel()
	src := Files(t.TempDir(), Watch()).(*filesSource)
	src.openWatcher = func() (*watcher, error) { return nil, limitError(syscall.EMFILE) }
	err := src.Source(t.Context(), nil)
	require.ErrorContains(t, err, "fs.inotify.max_user_instances")
	require.ErrorIs(t, err, syscall.EMFILE)
}

func TestPassTakesMoreThanMaySettleAtOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		for i := range 5 {
			put(t, dir, fmt.Sprint(i), "")
		}
		src := Files(dir).(*filesSource)
		src.maxSettling = 2
		var got []string
		require.NoError(t, src.Source(t.Context(), func(_ context.Context, ts ...pipeline.Trigger[File]) error {
			for _, trigger := range ts {
				got = append(got, trigger.Body.Name)
			}
			return nil
		}))
		require.Equal(t, []string{"0", "1", "2", "3", "4"}, got)
	})
}

func TestPassNamesAFewOfWhatItLeft(t *testing.T) {
	t.Parallel()
	var left leftBehind
	require.NoError(t, left.err("dir"))
	for i := range 10 {
		left.add(fmt.Errorf("reason %d", i))
	}
	require.EqualError(t, left.err("dir"), "not all files in dir were taken: reason 0; reason 1; reason 2; reason 3; "+
		"reason 4; reason 5; reason 6; reason 7; and 2 more")
}
