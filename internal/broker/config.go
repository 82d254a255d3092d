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
	// Dir is the data directory. It is made when it does not exist, and only
	// one broker can run on it at a time. Defaults to none: everything is in
	// memory and is gone after Close.
	Dir string

	// Port is the port of the first broker. Defaults to the port of the last
	// run on Dir or, when there was none or it is taken, to any free one. A
	// port that is set here is never replaced by another.
	Port int

	// Brokers is the number of brokers in the cluster. Defaults to 1.
	Brokers int

	// SyncWrites waits for the disk before a write is acknowledged, so that a
	// power cut takes nothing either. The package comment says what it costs.
	// Defaults to false.
	SyncWrites bool

	// RetentionInterval is the time between two looks for records that are
	// past their topic's retention.ms; retention.bytes is not obeyed. In
	// memory nobody looks. Defaults to one minute.
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

	maxPort    = 1<<16 - 1
	maxBrokers = 100
)

// withDefaults returns the configuration with every empty field filled in, or
// all that is wrong with it.
func (c Config) withDefaults() (Config, error) {
	var wrong []error
	if c.Port < 0 || c.Port > maxPort {
		wrong = append(wrong, fmt.Errorf("port %d is not between 0 and %d", c.Port, maxPort))
	}
	if c.Brokers < 0 || c.Brokers > maxBrokers {
		wrong = append(wrong, fmt.Errorf("the number of brokers, %d, is not between 0 and %d", c.Brokers, maxBrokers))
	}
	if c.RetentionInterval < 0 {
		wrong = append(wrong, fmt.Errorf("the retention interval, %s, is negative", c.RetentionInterval))
	}
	if c.MinSessionTimeout < 0 {
		wrong = append(wrong, fmt.Errorf("the shortest session timeout, %s, is negative", c.MinSessionTimeout))
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
	return c, errors.Join(wrong...)
}
