package sources

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// settling holds the files that may still be being written, by name, until they
// have stood still. It is bounded.
type settling struct {
	wait  time.Duration
	max   int
	files map[string]sighting
}

// sighting is a file as it was when it was last seen to change.
type sighting struct {
	size    int64
	modTime time.Time // zero: not looked at yet
	since   time.Time
}

func newSettling(wait time.Duration, limit int) *settling {
	return &settling{wait: wait, max: limit, files: make(map[string]sighting)}
}

// isOld tells whether a file that is seen for the first time has stood still for
// long enough, by its own modification time. A time in the future tells nothing:
// another machine's clock, or a copied time.
func (s *settling) isOld(info fs.FileInfo, now time.Time) bool {
	age := now.Sub(info.ModTime())
	return s.wait == 0 || age >= s.wait
}

// saw notes how a file looks now. A nil info is a change that was told of. It is
// false where there is no room for the file.
func (s *settling) saw(name string, info fs.FileInfo, now time.Time) bool {
	if _, known := s.files[name]; !known && !s.hasRoom() {
		return false
	}
	seen := sighting{since: now}
	if info != nil {
		seen.size, seen.modTime = info.Size(), info.ModTime()
	}
	s.files[name] = seen
	return true
}

// due lists the files of which no change was seen for long enough, in order.
func (s *settling) due(now time.Time) []string {
	var names []string
	for name, seen := range s.files {
		if now.Sub(seen.since) >= s.wait {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, comparePaths)
	return names
}

// isStill tells whether a file that is due looks as it did before.
func (s *settling) isStill(name string, info fs.FileInfo, now time.Time) bool {
	seen := s.files[name]
	return s.isOld(info, now) || seen.size == info.Size() && seen.modTime.Equal(info.ModTime())
}

func (s *settling) forget(name string) { delete(s.files, name) }

func (s *settling) hasRoom() bool { return len(s.files) < s.max }

// names lists all files, in order.
func (s *settling) names() []string {
	return slices.SortedFunc(maps.Keys(s.files), comparePaths)
}

// comparePaths orders names folder by folder, as a pass comes by them.
func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}
