package broker

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoData is returned by Find when no broker ever ran on the directory.
var ErrNoData = errors.New("there is no data of an embedded broker")

// ErrNotRunning is returned by Find when a broker ran on the directory, and
// none does now.
var ErrNotRunning = errors.New("no embedded broker runs on the data directory")

// InUseError says that another broker runs on the data directory. Who gets it
// can connect to that one.
type InUseError struct {
	Dir   string
	Addrs []string // its addresses; none when it is still starting, or ending
	PID   int      // its process; 0 when Addrs is empty
}

// Error says who uses the directory and what to do.
func (e *InUseError) Error() string {
	if len(e.Addrs) == 0 {
		return fmt.Sprintf("the data directory %s is in use by another process that is starting or ending: try again in a moment, or choose another directory", e.Dir)
	}
	return fmt.Sprintf("the data directory %s is in use by process %d: connect to its broker at %s, end that process, or choose another directory",
		e.Dir, e.PID, strings.Join(e.Addrs, ","))
}

// VersionError says that the data directory was written in a format that this
// program does not know.
type VersionError struct {
	Dir     string
	Version int // the format of the data
	Known   int // the newest format that this program knows
}

// Error says what to do about it.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the data in %s has format %d and this program knows formats up to %d: use the newer program that wrote it, or choose another directory",
		e.Dir, e.Version, e.Known)
}
