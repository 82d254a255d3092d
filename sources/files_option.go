package sources

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// FilesOption is an option of [Files].
type FilesOption func(*filesSettings)

type filesSettings struct {
	glob, exclude       []string
	flat, hidden, watch bool
	settle              time.Duration
	maxSettling         int
}

func defaultFilesSettings() filesSettings {
	return filesSettings{settle: 500 * time.Millisecond, maxSettling: 1 << 16}
}

// Glob takes only the files that match one of the patterns, which are those of
// [path.Match]. A pattern without a slash is matched with the file's own name, as
// in "*.png"; one with a slash with the whole of [File].Name, as in "2026/*.png".
// Several Glob add up. Defaults to all files.
func Glob(patterns ...string) FilesOption {
	return func(s *filesSettings) { s.glob = append(s.glob, patterns...) }
}

// Exclude leaves out the files that match one of the patterns, and the folders
// with all that is in them. The patterns are like those of [Glob]. Several Exclude
// add up. Defaults to none.
func Exclude(patterns ...string) FilesOption {
	return func(s *filesSettings) { s.exclude = append(s.exclude, patterns...) }
}

// Flat leaves out the sub-folders.
func Flat() FilesOption {
	return func(s *filesSettings) { s.flat = true }
}

// Hidden takes the files and folders whose names begin with a dot too.
func Hidden() FilesOption {
	return func(s *filesSettings) { s.hidden = true }
}

// Watch goes on after the first pass: files that appear or change are taken as
// well, in new sub-folders too. It ends when the folder itself is removed or
// renamed. It counts on the system's notifications, which network file systems
// mostly do not have.
func Watch() FilesOption {
	return func(s *filesSettings) { s.watch = true }
}

// Settle says how long a file's size and modification time must have stood still
// before it is taken. 0 takes it as it is found. Defaults to 500 ms.
func Settle(d time.Duration) FilesOption {
	return func(s *filesSettings) { s.settle = d }
}

func (s *filesSettings) check() error {
	if s.settle < 0 {
		return fmt.Errorf("Settle(%v) is below 0", s.settle)
	}
	for _, p := range slices.Concat(s.glob, s.exclude) {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("the pattern %q is malformed; see path.Match for what it may hold", p)
		}
	}
	return nil
}

// leftOut tells whether a file or folder is not looked at.
func (s *filesSettings) leftOut(name string) bool {
	if !s.hidden && strings.HasPrefix(path.Base(name), ".") {
		return true
	}
	return matchesAny(s.exclude, name)
}

// wanted tells whether a file that is not left out is taken.
func (s *filesSettings) wanted(name string) bool {
	return len(s.glob) == 0 || matchesAny(s.glob, name)
}

func matchesAny(patterns []string, name string) bool {
	base := path.Base(name)
	for _, p := range patterns {
		against := base
		if strings.Contains(p, "/") {
			against = name
		}
		if ok, err := path.Match(p, against); ok && err == nil {
			return true
		}
	}
	return false
}
