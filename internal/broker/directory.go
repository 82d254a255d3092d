package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
)

// The names in a data directory.
const (
	lockName    = "broker.lock"   // locked while a broker runs; the truth about whether one does
	addressName = "broker.json"   // where it is to be found
	lastRunName = "last-run.json" // what the next run wants to know of this one
	endsName    = "log-ends.json" // the ends of logs that hold no records
	clusterName = "cluster"       // kfake's own data
)

// The modes of what is made in a data directory: records are for their owner.
const (
	directoryMode = 0o750
	fileMode      = 0o600
)

// directory is a data directory that this process has locked.
type directory struct {
	path string
	lock *flock.Flock
}

// lockWait is how long Start and Find wait for another process that has locked
// the directory to say where it is, when their context sets no earlier end.
const lockWait = 5 * time.Second

// lockPoll is the time between two looks at a locked directory.
const lockPoll = 20 * time.Millisecond

// openDirectory makes the directory where it does not exist and locks it. When
// another process holds it, the error is an InUseError.
func openDirectory(ctx context.Context, path string) (*directory, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(path, clusterName), directoryMode); err != nil {
		return nil, explain(path, err)
	}
	d := &directory{path: path, lock: flock.New(filepath.Join(path, lockName), flock.SetPermissions(fileMode))}

	var locked bool
	var running address
	err = poll(ctx, func() (done bool, err error) {
		if locked, err = d.lock.TryLock(); err != nil {
			return false, explain(path, err)
		}
		if locked {
			return true, nil
		}
		running, err = readAddress(path)
		return running.known(), err
	})
	if err != nil && !errors.Is(err, errNoAnswer) {
		return nil, err
	}
	if !locked {
		return nil, &InUseError{Dir: path, Addrs: running.Addrs, PID: running.PID}
	}
	return d, nil
}

// errNoAnswer is the result of a poll that found nothing in time.
var errNoAnswer = errors.New("no answer in time")

// poll asks again and again until it is done or fails, but no longer than
// lockWait.
func poll(ctx context.Context, ask func() (done bool, err error)) error {
	deadline := time.NewTimer(lockWait)
	defer deadline.Stop()
	again := time.NewTicker(lockPoll)
	defer again.Stop()
	for {
		if done, err := ask(); done || err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return errNoAnswer
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errNoAnswer, context.Cause(ctx))
		}
	}
}

// explain says what is wrong with the path of a data directory, and what to do.
func explain(path string, err error) error {
	advice := "choose another directory"
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		advice = "it cannot be written: change its permissions or choose another directory"
	case isFile(path):
		advice = "it is a file: choose a directory"
	}
	return fmt.Errorf("open the data directory %s (%s): %w", path, advice, err)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// file returns the path of something in the directory.
func (d *directory) file(name ...string) string {
	return filepath.Join(append([]string{d.path}, name...)...)
}

// write replaces a file of the directory by the value, as JSON, at once.
func (d *directory) write(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	if err := maybe.WriteFile(d.file(name), append(text, '\n'), fileMode); err != nil {
		return fmt.Errorf("write %s: %w", d.file(name), err)
	}
	return nil
}

// read reads a file of the directory into the value. A file that does not exist
// leaves the value as it is.
func (d *directory) read(name string, value any) error {
	return readJSON(d.file(name), value)
}

func readJSON(path string, value any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// remove removes a file of the directory, if it is there.
func (d *directory) remove(name ...string) error {
	if err := os.Remove(d.file(name...)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// unlock lets go of the directory.
func (d *directory) unlock() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("unlock the data directory %s: %w", d.path, err)
	}
	return nil
}
