package broker

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/twmb/franz-go/pkg/kfake"
)

// lastRun is what a run leaves for the next one.
type lastRun struct {
	Ports []int `json:"ports"`
	// Closed is whether the run ended by Close. It is false while the run
	// lasts, so it stays false when the process is killed.
	Closed bool `json:"closed"`
}

// readLastRun returns what the last run left. When there was none, it is one
// that was closed.
func (d *directory) readLastRun() (lastRun, error) {
	last := lastRun{Closed: true}
	err := d.read(lastRunName, &last)
	return last, err
}

// knownFormat is the newest format of its data that kfake reads.
const knownFormat = 1

// checkFormat refuses data of a format that kfake does not know.
func (d *directory) checkFormat() error {
	var meta struct {
		Version int `json:"version"`
	}
	if err := readJSON(d.file(clusterName, "meta.json"), &meta); err != nil {
		return damaged(d.path, err)
	}
	if meta.Version > knownFormat {
		return &VersionError{Dir: d.path, Version: meta.Version, Known: knownFormat}
	}
	return nil
}

// mend reads what a killed process left and writes it anew, in the form that
// Close leaves. kfake reads what a kill leaves, but then goes on writing behind
// a torn tail of its logs of groups and producers, where its next read stops: a
// second kill would lose what was committed in between.
func (d *directory) mend(config Config) error {
	var failure error
	log := &clusterLog{log: config.Logger, writeFailure: func(err error) { failure = err }}
	cluster, err := kfake.NewCluster(append(clusterOptions(config, log), kfake.DataDir(d.file(clusterName)))...)
	if err != nil {
		return damaged(d.path, err)
	}
	cluster.Close()
	debug.FreeOSMemory() // it has read whole logs
	if err := errors.Join(append(log.errors(), failure)...); err != nil {
		return fmt.Errorf("write the data in %s anew after a kill: %w", d.path, err)
	}
	return nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("read the data in %s (to begin anew, remove that directory): %w", path, err)
}
