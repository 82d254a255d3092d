package sinks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const folderMode fs.FileMode = 0o755

// makeFolder makes a folder, and those above it, where it is missing, and brings
// what it makes to the disk.
func makeFolder(dir string) error {
	if dir == "" {
		return fmt.Errorf("the folder's path is empty; give one, %q for the working directory", ".")
	}
	switch info, err := os.Stat(dir); {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is not a folder", dir)
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return fmt.Errorf("%s does not exist, and nothing is above it", dir)
	}
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	return syncFolder(f)
}

// syncFolders brings the names in a folder below root to the disk, and those of
// all folders that lead to it: any of them may be new, made by this call or, a
// moment ago, by another.
func syncFolders(root *os.Root, folder string) error {
	for {
		f, err := root.Open(folder)
		if err != nil {
			return err
		}
		if err := syncFolder(f); err != nil || folder == "." {
			return err
		}
		folder = filepath.Dir(folder)
	}
}

// syncFolder syncs and closes a folder. Some network file systems cannot sync
// one, and need not.
func syncFolder(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
