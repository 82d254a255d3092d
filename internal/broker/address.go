package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// address is the content of the address file: how other processes find the
// broker that has locked a data directory.
type address struct {
	Addrs   []string  `json:"addrs"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// known tells whether there was an address to be read.
func (a address) known() bool {
	return len(a.Addrs) > 0
}

// readAddress returns what the address file says; when there is none, it is not
// known. The file of a broker that was killed stays, so it means something only
// while the directory is locked.
func readAddress(dir string) (address, error) {
	var a address
	if err := readJSON(filepath.Join(dir, addressName), &a); err != nil {
		return a, fmt.Errorf("find the embedded broker on %s: %w", dir, err)
	}
	return a, nil
}

// Find returns the addresses of the broker that runs on a data directory, in
// this process or another. It returns ErrNotRunning when there is data and no
// broker, and ErrNoData when there is none. It waits for a broker that is just
// starting or ending, as long as ctx allows but no more than five seconds.
func Find(ctx context.Context, dir string) ([]string, error) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("find the embedded broker on %s: %w", dir, ErrNoData)
		}
		return nil, explain(dir, err)
	}
	var running address
	err := poll(ctx, func() (done bool, err error) {
		free, err := isFree(path)
		if err != nil {
			return false, explain(dir, err)
		}
		if free {
			return false, fmt.Errorf("find the embedded broker on %s: %w", dir, ErrNotRunning)
		}
		running, err = readAddress(dir)
		return running.known(), err
	})
	if errors.Is(err, errNoAnswer) {
		return nil, fmt.Errorf("find the embedded broker on %s: it is starting or ending, try again in a moment: %w", dir, err)
	}
	if err != nil {
		return nil, err
	}
	return running.Addrs, nil
}

// isFree tells whether no broker holds the lock. A broker that tries for it at
// the same moment has to try again: Start does.
func isFree(path string) (bool, error) {
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	return free, errors.Join(err, lock.Close())
}
