package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock/penstock/pipeline"
)

// filesBatch bounds the triggers that are put at once.
const filesBatch = 256

// filesRun is one call of a source of files.
//
// What it knows it may forget at any time: a pass over the folder finds all files
// again, and those that were taken are not put a second time, because their IDs
// are the same. So whatever goes wrong is mended by another pass.
type filesRun struct {
	*filesSource
	dir      string // absolute
	emit     pipeline.Emit[File]
	batch    []pipeline.Trigger[File]
	settling *settling
	left     leftBehind

	watcher *watcher // nil unless watching
	missed  bool     // a notification found no room: another pass is needed
}

func (r *filesRun) run(ctx context.Context) error {
	if r.watch {
		for {
			if err := r.watchRound(ctx); err != nil {
				return err
			}
		}
	}
	if err := r.pass(ctx, "."); err != nil {
		return err
	}
	return r.finish(ctx)
}

// watchRound is a pass and the following of notifications, until another pass is
// needed. It begins to watch before the pass, so that nothing that happens
// meanwhile is missed.
func (r *filesRun) watchRound(ctx context.Context) (err error) {
	if r.watcher, err = r.openWatcher(); err != nil {
		return fmt.Errorf("watch %s: %w", r.dir, err)
	}
	defer func() { err = errors.Join(err, r.watcher.close()) }()
	r.missed = false
	if err := r.pass(ctx, "."); err != nil {
		return err
	}
	if r.left.err(r.dir) != nil {
		return r.finish(ctx)
	}
	return r.follow(ctx)
}

// finish takes what settles within the time for it, and tells what was left.
func (r *filesRun) finish(ctx context.Context) error {
	if err := r.waitForTheRest(ctx); err != nil {
		return err
	}
	for _, name := range r.settling.names() {
		r.left.add(fmt.Errorf("%s is still being written", r.path(name)))
	}
	return r.left.err(r.dir)
}

// waitForTheRest gives the files that were not taken in the pass the time to
// settle.
func (r *filesRun) waitForTheRest(ctx context.Context) error {
	if len(r.settling.files) == 0 {
		return nil
	}
	select {
	case <-time.After(r.settling.wait):
		return r.takeSettled(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeSettled takes the files that have stood still.
func (r *filesRun) takeSettled(ctx context.Context) error {
	now := time.Now()
	for _, name := range r.settling.due(now) {
		info, err := os.Lstat(r.path(name))
		switch {
		case hasVanished(err) || err == nil && !info.Mode().IsRegular():
			r.settling.forget(name)
		case err != nil:
			r.settling.forget(name)
			r.left.add(fmt.Errorf("look at %s: %w", r.path(name), withoutPath(err)))
		case r.settling.isStill(name, info, now):
			r.settling.forget(name)
			if err := r.take(ctx, name, info); err != nil {
				return err
			}
		default:
			r.settling.saw(name, info, now)
		}
	}
	return r.flush(ctx)
}

// take puts a trigger for the file, with others.
func (r *filesRun) take(ctx context.Context, name string, info fs.FileInfo) error {
	f := File{Path: r.path(name), Name: name, Size: info.Size(), ModTime: info.ModTime().UTC()}
	r.batch = append(r.batch, f.trigger())
	if len(r.batch) < filesBatch {
		return nil
	}
	return r.flush(ctx)
}

// flush puts what was taken. A file whose trigger is refused, because it cannot
// be encoded, must not hold up the others of its batch.
func (r *filesRun) flush(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	defer func() { r.batch = nil }() // emit may keep the slice
	err := r.emit(ctx, r.batch...)
	if !isRefused(err) {
		return r.putError(err)
	}
	for _, t := range r.batch {
		switch err := r.emit(ctx, t); {
		case isRefused(err):
			r.left.add(fmt.Errorf("the trigger of %s is refused: %w", t.Body.Path, err))
		case err != nil:
			return r.putError(err)
		}
	}
	return nil
}

func isRefused(err error) bool {
	verdict, _ := pipeline.Judge(err)
	return verdict == pipeline.Rejected
}

func (r *filesRun) putError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("put files of %s: %w", r.dir, err)
}

// path is the path of a name below the folder.
func (r *filesRun) path(name string) string {
	return filepath.Join(r.dir, filepath.FromSlash(name))
}
