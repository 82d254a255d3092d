package chaos

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Mode is what a run tries.
type Mode string

// The modes.
const (
	// AtLeastOnce kills workers, and lets them come and go: nothing may be lost,
	// and what is repeated must be rewinds.
	AtLeastOnce Mode = "at-least-once"
	// Graceful lets workers come and go, and kills none: nothing may be repeated.
	Graceful Mode = "graceful"
	// Parking kills workers and lets them come and go, as AtLeastOnce does, while one
	// attempt in seven fails and what has failed is parked. What was parked must come
	// through once its time has come, in the order of its key.
	Parking Mode = "parking"
)

// Config says what a run does.
type Config struct {
	Brokers  []string // required
	Pipeline string   // a name that the cluster does not have yet; required
	Worker   []string // the command that runs a worker, without flags; required
	Dir      string   // takes the journal and the logs; must have neither yet; required

	// Environment is added to that of the workers, each as name=value.
	Environment []string

	// Mode defaults to AtLeastOnce.
	Mode Mode

	// Seed decides on the faults, their times and the load. What happens in
	// between is up to the machine.
	Seed uint64

	// Messages is how many messages are produced at least: the load goes on until
	// the faults are through. Defaults to 60,000, and to 200,000 in mode Parking.
	Messages int

	// Rate is how many messages a second are produced. Defaults to 500.
	Rate int

	// Keys is how many keys the messages have. Defaults to 1,000, and to 200 in mode
	// Parking.
	Keys int

	// Processes is how many processes each stage has. Defaults to 2, and to 4 in mode
	// Parking.
	Processes int

	// SlowWait is how long a message waits, in mode Parking, of the keys that wait for
	// long. Messages of other keys may take two thirds of it: much, because the faults
	// keep the machine busy. Defaults to 90 s.
	SlowWait time.Duration

	// Session is the session time-out of the workers. Defaults to 1.5 s, so that a
	// kill costs little time, and to 10 s in mode Graceful: there a busy machine
	// must not look like the death of a worker.
	Session time.Duration

	// Patience is how long the stages may take for what is left when the load has
	// ended, beside what messages wait for in mode Parking. Defaults to 3 minutes.
	Patience time.Duration

	// Faults is how often what happens.
	Faults Faults

	// Log takes what happens, a line each. Defaults to nowhere.
	Log io.Writer
}

// Faults is how often what happens in a run.
type Faults struct {
	Kills    int // SIGKILL of a worker, which is started again
	Closes   int // SIGTERM of a worker, which is started again: a leave and a join
	Joins    int // one more worker of a stage, which leaves again
	Rollings int // all workers of a stage are closed and started, one after the other
}

// stages are what the run's pipeline has.
func (c Config) stages() []flow.Stage {
	if c.Mode == Parking {
		return flow.ParkingStages()
	}
	return flow.Stages()
}

// deadline is how long a message of a key may take while another key waits.
func (c Config) deadline() time.Duration {
	if c.Mode == Parking {
		return c.SlowWait * 2 / 3
	}
	return 0
}

// DefaultKills is how many workers a mode kills unless it is told.
func DefaultKills(mode Mode) int {
	if mode == Parking {
		return 32
	}
	return 8
}

// DefaultFaults is what a mode does beside so many kills.
func DefaultFaults(mode Mode, kills int) Faults {
	if mode == Graceful {
		return Faults{Closes: 15, Joins: 3, Rollings: 10}
	}
	return Faults{Kills: kills, Closes: kills/4 + 1, Joins: kills/8 + 1, Rollings: kills/8 + 1}
}

func (c Config) withDefaults() Config {
	if c.Mode == "" {
		c.Mode = AtLeastOnce
	}
	if c.Mode == Parking {
		setDefault(&c.Messages, 200_000)
		setDefault(&c.Keys, 200)
		setDefault(&c.Processes, 4)
	}
	setDefault(&c.Messages, 60_000)
	setDefault(&c.Rate, 500)
	setDefault(&c.Keys, 1000)
	setDefault(&c.Processes, 2)
	if c.SlowWait == 0 {
		c.SlowWait = 90 * time.Second
	}
	if c.Session == 0 {
		c.Session = 1500 * time.Millisecond
		if c.Mode == Graceful {
			c.Session = 10 * time.Second
		}
	}
	if c.Patience == 0 {
		c.Patience = 3 * time.Minute
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}

func setDefault(n *int, to int) {
	if *n == 0 {
		*n = to
	}
}

func (c Config) validate() error {
	var errs []error
	if c.Mode != AtLeastOnce && c.Mode != Graceful && c.Mode != Parking {
		errs = append(errs, fmt.Errorf("the mode is %q: it can be %s, %s or %s", c.Mode, AtLeastOnce, Graceful, Parking))
	}
	if c.Mode == Graceful && c.Faults.Kills > 0 {
		errs = append(errs, fmt.Errorf("a run in mode %s kills nobody", Graceful))
	}
	for name, n := range map[string]int{
		"messages": c.Messages, "the rate": c.Rate, "keys": c.Keys, "processes": c.Processes,
		"kills": c.Faults.Kills + 1, "closes": c.Faults.Closes + 1, "joins": c.Faults.Joins + 1, "rollings": c.Faults.Rollings + 1,
	} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("the number for %s is too small", name))
		}
	}
	return errors.Join(errs...)
}
