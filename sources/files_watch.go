package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// notifier is what is used of an fsnotify.Watcher beside its channels.
type notifier interface {
	Add(path string) error
	Remove(path string) error
	Close() error
}

// watcher watches folders. Their sub-folders are watched one by one.
type watcher struct {
	notifier notifier
	events   <-chan fsnotify.Event
	errors   <-chan error
	folders  map[string]struct{}
}

func openWatcher() (*watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, limitError(err)
	}
	return &watcher{notifier: w, events: w.Events, errors: w.Errors, folders: make(map[string]struct{})}, nil
}

func (w *watcher) close() error { return w.notifier.Close() }

func (w *watcher) add(folder string) error {
	if err := w.notifier.Add(folder); err != nil {
		return limitError(err)
	}
	w.folders[folder] = struct{}{}
	return nil
}

// forget stops watching a folder that was removed or renamed, and what was below
// it. A notifier knows folders by the paths that they were added with: one that
// was renamed would go on to send events under its old path.
func (w *watcher) forget(folder string) {
	if _, watched := w.folders[folder]; !watched {
		return
	}
	for f := range w.folders {
		if f == folder || strings.HasPrefix(f, folder+string(filepath.Separator)) {
			_ = w.notifier.Remove(f) // one that does not exist any more is forgotten already
			delete(w.folders, f)
		}
	}
}

// limitError explains the errors of the system's limits, whose own text misleads.
func limitError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the system's limit of watched folders is reached (%w); raise it, on Linux with sysctl fs.inotify.max_user_watches, or watch fewer", err)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("the limit of watchers or of open files is reached (%w); raise it, on Linux with sysctl fs.inotify.max_user_instances or ulimit -n", err)
	default:
		return err
	}
}

// errNotWatching ends a run whose notifications ended.
var errNotWatching = errors.New("the notifications ended")

// follow takes the files that the notifications tell of. It returns nil when
// another pass is needed.
func (r *filesRun) follow(ctx context.Context) error {
	var sweep <-chan time.Time
	for {
		if sweep == nil && len(r.settling.files) > 0 {
			sweep = time.After(r.settling.wait / 4)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err, open := <-r.watcher.errors:
			switch {
			case !open:
				return fmt.Errorf("watch %s: %w", r.dir, errNotWatching)
			case errors.Is(err, fsnotify.ErrEventOverflow):
				return nil // some were lost
			default:
				return fmt.Errorf("watch %s: %w", r.dir, err)
			}
		case event, open := <-r.watcher.events:
			if !open {
				return fmt.Errorf("watch %s: %w", r.dir, errNotWatching)
			}
			if err := r.hear(ctx, event); err != nil {
				return err
			}
		case <-sweep:
			sweep = nil
			if err := r.takeSettled(ctx); err != nil {
				return err
			}
			if r.missed && r.settling.hasRoom() {
				return nil
			}
		}
		if err := r.left.err(r.dir); err != nil {
			return err
		}
	}
}

// hear acts on one notification.
func (r *filesRun) hear(ctx context.Context, event fsnotify.Event) error {
	rel, err := filepath.Rel(r.dir, event.Name)
	if err != nil {
		return fmt.Errorf("watch %s: %w", r.dir, err)
	}
	name := filepath.ToSlash(rel)
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		if name == "." {
			return fmt.Errorf("the source's folder %s was removed or renamed while it was watched", r.dir)
		}
		r.watcher.forget(event.Name)
		r.settling.forget(name)
	}
	switch {
	case name == "." || r.leftOut(name):
		return nil
	case event.Has(fsnotify.Create) && isFolder(event.Name):
		if r.canBeTold(name) {
			return r.pass(ctx, name) // it may hold files already
		}
	case event.Has(fsnotify.Create) || event.Has(fsnotify.Write) || event.Has(fsnotify.Chmod):
		// Chmod tells of a new modification time too.
		if r.wanted(name) && r.canBeTold(name) {
			r.missed = !r.settling.saw(name, nil, time.Now()) || r.missed
		}
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() == fs.ModeDir
}
