package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how the embedded broker runs. The zero value is a broker in
// memory on a free port.
type Config struct {
	// Dir is the data directory. It is made when it does not exist. Defaults
	// to none: everything is kept in memory and is gone after Close.
	Dir string

	// Port is the port of the first broker. Defaults to the port of the last
	// run on Dir, or to any free one when there was none or it is taken. A
	// port named here is never replaced by another.
	Port int

	// Brokers is the number of brokers in the cluster. Partitions have one
	// copy whatever it is. Defaults to 1.
	Brokers int

	// SyncWrites waits for the disk before it acknowledges a write, so that a
	// crash of the operating system loses nothing either. It costs most of
	// the produce rate. Defaults to false: what was acknowledged survives the
	// death of this process by any signal, but not a power cut.
	SyncWrites bool

	// RetentionInterval is the time between two looks for records that are
	// past their topic's retention. Defaults to one minute.
	RetentionInterval time.Duration

	// MinSessionTimeout is the shortest session timeout that a member of a
	// consumer group may ask for. Defaults to one second.
	MinSessionTimeout time.Duration

	// Logger takes the broker's log. Defaults to slog.Default.
	Logger *slog.Logger
}

const (
	defaultBrokers           = 1
	defaultRetentionInterval = time.Minute
	defaultMinSessionTimeout = time.Second
	maxPort                  = 1<<16 - 1
)

// withDefaults returns the configuration with every empty field filled in, or
// all that is wrong with it.
func (c Config) withDefaults() (Config, error) {
	var problems []error
	if c.Port < 0 || c.Port > maxPort {
		problems = append(problems, fmt.Errorf("port %d is not between 0 and %d", c.Port, maxPort))
	}
	if c.Brokers < 0 {
		problems = append(problems, fmt.Errorf("a cluster of %d brokers cannot be", c.Brokers))
	}
	if c.RetentionInterval < 0 {
		problems = append(problems, fmt.Errorf("retention interval %s is negative", c.RetentionInterval))
	}
	if c.MinSessionTimeout < 0 {
		problems = append(problems, fmt.Errorf("shortest session timeout %s is negative", c.MinSessionTimeout))
	}
	if c.Brokers == 0 {
		c.Brokers = defaultBrokers
	}
	if c.RetentionInterval == 0 {
		c.RetentionInterval = defaultRetentionInterval
	}
	if c.MinSessionTimeout == 0 {
		c.MinSessionTimeout = defaultMinSessionTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, errors.Join(problems...)
}
