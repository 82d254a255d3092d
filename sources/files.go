package sources

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/schemas"
)

// File is a file that [Files] came upon. It says where the file is and does not
// hold its bytes.
type File struct {
	// Path is the absolute path, for the stage that opens the file.
	Path string `json:"path"`

	// Name is the path below the source's folder, with slashes on every system. It
	// makes a good key: versions of one file stay in order.
	Name string `json:"name"`

	// Size is in bytes.
	Size int64 `json:"size"`

	// ModTime is when the file was last changed, in UTC.
	ModTime time.Time `json:"modTime"`
}

// id is the same for the same version of a file, also after a restart or when
// the whole folder was moved.
func (f File) id() string {
	version := strconv.FormatInt(f.Size, 10) + " " + f.ModTime.Format(time.RFC3339Nano)
	return schemas.DeriveID(f.Name, version, 0)
}

func (f File) trigger() pipeline.Trigger[File] {
	return pipeline.Trigger[File]{Body: f, ID: f.id(), Time: f.ModTime}
}

// Files puts a trigger for each file in a folder and its sub-folders, in the
// order of their names, folder by folder. With [Watch] it goes on with the files
// that come and change after that; without, it is done then.
//
// A file is taken once, also over restarts: the trigger's ID is made of the file's
// name, size and modification time. A file that has changed, or has another name,
// is taken again. One that is replaced by another of the same size and the same
// time is not.
//
// A file is taken when it is complete, which is when it has stood still for a
// while: see [Settle]. Those that have not yet come after the others. A writer
// who may pause for longer does best to write under a name that begins with a dot
// and to rename the file when it is complete.
//
// Files and folders whose names begin with a dot are left out unless [Hidden] is
// given. So is all that is neither a regular file nor a folder: a symbolic link
// below the folder is never followed, wherever it leads. The folder itself may be
// one.
//
// What vanishes meanwhile is left out. What cannot be read, a folder without
// permission, or that does not stop changing, holds nothing up: all else is
// taken, and then the source fails with an error that names it, so that it is
// called again.
//
// A folder's names are in memory while it is read, and the triggers of a few
// hundred files.
func Files(dir string, opts ...FilesOption) pipeline.Sourcer[File] {
	s := &filesSource{dir: dir, filesSettings: defaultFilesSettings(), openWatcher: openWatcher}
	for _, opt := range opts {
		opt(&s.filesSettings)
	}
	return s
}

type filesSource struct {
	dir string
	filesSettings
	openWatcher func() (*watcher, error)
}

// Open fails where the folder cannot be read at all, or an option is wrong.
func (s *filesSource) Open(context.Context) error {
	_, err := s.check()
	return err
}

// Close implements pipeline.Opener. There is nothing to close.
func (s *filesSource) Close(context.Context) error { return nil }

// Source puts the triggers.
func (s *filesSource) Source(ctx context.Context, emit pipeline.Emit[File]) error {
	dir, err := s.check()
	if err != nil {
		return err
	}
	r := &filesRun{filesSource: s, dir: dir, emit: emit, settling: newSettling(s.settle, s.maxSettling)}
	return r.run(ctx)
}

// Once implements pipeline.OnceSource.
func (s *filesSource) Once() bool { return true }

// Finite implements pipeline.FiniteSource.
func (s *filesSource) Finite() bool { return !s.watch }

// check returns the absolute path of the folder.
func (s *filesSource) check() (string, error) {
	if err := s.filesSettings.check(); err != nil {
		return "", fmt.Errorf("source of files in %q: %w", s.dir, err)
	}
	if s.dir == "" {
		return "", fmt.Errorf("source of files: the folder's path is empty; give one, %q for the working directory", ".")
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return "", fmt.Errorf("find folder %s: %w", s.dir, err)
	}
	switch info, err := os.Stat(dir); {
	case err != nil:
		return "", fmt.Errorf("read the source's folder %s: %w", dir, withoutPath(err))
	case !info.IsDir():
		return "", fmt.Errorf("read the source's folder %s: it is not a folder; name the one that holds the files", dir)
	}
	return dir, nil
}

// withoutPath drops the path from an error that is going to be told with it.
func withoutPath(err error) error {
	if e, ok := err.(*fs.PathError); ok { //nolint:errorlint // a wrapped one has more to tell
		return e.Err
	}
	return err
}
