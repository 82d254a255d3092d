package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unicode/utf8"
)

// pass takes the files below the folder with this name, "." for all.
func (r *filesRun) pass(ctx context.Context, from string) error {
	err := fs.WalkDir(os.DirFS(r.dir), from, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return r.unreadable(name, err)
		case d.IsDir():
			return r.enter(name)
		case !d.Type().IsRegular() || !r.isWanted(name):
			return nil
		}
		return r.visit(ctx, name, d)
	})
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

// isWanted tells whether the file of this name is taken.
func (r *filesRun) isWanted(name string) bool {
	return !r.leftOut(name) && r.wanted(name) && r.canBeTold(name)
}

// canBeTold tells whether the name can travel in a trigger, which is text.
func (r *filesRun) canBeTold(name string) bool {
	if utf8.ValidString(name) {
		return true
	}
	r.left.add(fmt.Errorf("the name %q is not UTF-8, so no trigger can carry it; rename it", r.path(name)))
	return false
}

// enter comes before the folder is read. It is watched from here on, so that a
// file is found either by reading or by a notification.
func (r *filesRun) enter(name string) error {
	if name != "." && (r.flat || r.leftOut(name) || !r.canBeTold(name)) {
		return fs.SkipDir
	}
	if r.watcher == nil {
		return nil
	}
	switch err := r.watcher.add(r.path(name)); {
	case hasVanished(err):
		return fs.SkipDir
	case errors.Is(err, fs.ErrPermission):
		r.left.add(r.noPermission(name, err))
		return fs.SkipDir
	case err != nil:
		r.left.add(fmt.Errorf("watch %s: %w", r.path(name), err))
	}
	return nil
}

// unreadable notes a folder that cannot be read, or a part of it.
func (r *filesRun) unreadable(name string, err error) error {
	if name == "." {
		return fmt.Errorf("read the source's folder %s: %w", r.dir, withoutPath(err))
	}
	switch {
	case hasVanished(err):
	case errors.Is(err, fs.ErrPermission):
		r.left.add(r.noPermission(name, err))
	default:
		r.left.add(fmt.Errorf("read folder %s: %w", r.path(name), withoutPath(err)))
	}
	return nil
}

func (r *filesRun) noPermission(folder string, err error) error {
	return fmt.Errorf("read folder %s: %w; let this user read it, or leave it out with sources.Exclude", r.path(folder), withoutPath(err))
}

// visit takes a file, or lets it settle first.
func (r *filesRun) visit(ctx context.Context, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if hasVanished(err) {
		return nil
	}
	if err != nil {
		r.left.add(fmt.Errorf("look at %s: %w", r.path(name), withoutPath(err)))
		return nil
	}
	now := time.Now()
	if r.settling.isOld(info, now) {
		r.settling.forget(name)
		return r.take(ctx, name, info)
	}
	if !r.settling.hasRoom() {
		if err := r.waitForTheRest(ctx); err != nil {
			return err
		}
	}
	if !r.settling.saw(name, info, now) {
		r.left.add(fmt.Errorf("%s is still being written, as too many others are", r.path(name)))
	}
	return nil
}

// hasVanished tells whether a file or folder is not there any more. A folder that
// became a file has vanished too.
func hasVanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
