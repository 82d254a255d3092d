package sinks

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/penstock/penstock/pipeline"
)

// WriteFile writes a file below a folder, whole or not at all: whoever looks finds
// the file as it was before or as it is after, also when the process is killed
// meanwhile or the power fails. When it returns nil the file is on the disk. It is
// for filters whose message carries a file's name in place of its bytes; [Files]
// is a sink made of it.
//
// The name is a path below the folder with slashes, as [fs.ValidPath] has it:
// "2026/a.png", but not "/a.png", "a/../b" or "./a". A symbolic link on the way may
// not lead out of the folder; one at its end is replaced. A name that breaks these
// rules, or is too long for the file system, is rejected (see [pipeline.Reject]);
// any other error names the path, and trying again may help: a full disk, a missing
// permission, a folder that has this name.
//
// Folders that are missing are made. A file that exists is replaced, and may be
// written from several places at once: the last one stays.
//
// The bytes go to a temporary file beside the file, named .penstock-*.tmp, which is
// then renamed. One is left behind only by a process that was killed. Nothing reads
// it, and it may be deleted when nobody is writing.
func WriteFile(dir, name string, data []byte, opts ...FilesOption) error {
	local, err := filepath.Localize(name)
	if err != nil || name == "." {
		return pipeline.Reject(fmt.Errorf(`the name %q is not that of a file below a folder; use one like "2026/a.png", with no slash in front and no . or .. in it`, name))
	}
	whole := filepath.Join(dir, local)
	if _, err := os.Lstat(whole); errors.Is(err, syscall.ENAMETOOLONG) {
		return pipeline.Reject(fmt.Errorf("write a file: %w", err)) // it could not be opened either
	}
	if err := makeFolder(dir); err != nil {
		return fmt.Errorf("write %s: %w", whole, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("write %s: %w", whole, err)
	}
	defer func() { _ = root.Close() }() // it was not written to
	if err := writeBelow(root, local, data, newFilesSettings(opts).mode); err != nil {
		if leadsOut(root, err) {
			return pipeline.Reject(fmt.Errorf("write %s: a symbolic link leads out of the folder: %w", whole, err))
		}
		return fmt.Errorf("write %s: %w", whole, err)
	}
	return nil
}

// leadsOut tells whether err is the root's refusal to leave its folder, which has
// no exported name: so it is compared with one that is sure to come.
func leadsOut(root *os.Root, err error) bool {
	_, refusal := root.Lstat("..")
	return errors.Is(err, errors.Unwrap(refusal))
}

func writeBelow(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	folder := filepath.Dir(name)
	temp := filepath.Join(folder, ".penstock-"+rand.Text()+".tmp")
	f, err := create(root, temp, mode)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.MkdirAll(folder, folderMode); err != nil {
			return err
		}
		f, err = create(root, temp, mode)
	}
	if err != nil {
		return err
	}
	err = fill(f, data)
	if err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		_ = root.Remove(temp) // what is left then does no harm
		return err
	}
	return syncFolders(root, folder)
}

func create(root *os.Root, name string, mode fs.FileMode) (*os.File, error) {
	return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// fill brings the bytes to the disk. They must be there before the file has its
// name: else the file could be empty after a power failure.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
