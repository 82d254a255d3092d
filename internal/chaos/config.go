package chaos

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Mode is what a run tries.
type Mode string

// The modes. In each of them attempts fail now and then, what has failed is parked,
// and what cannot succeed is poisoned.
const (
	// AtLeastOnce kills workers, lets them come and go, freezes them, and takes brokers
	// and connections away: nothing may be lost, and what is repeated must be rewinds.
	AtLeastOnce Mode = "at-least-once"
	// ExactlyOnce does the same to stages that run exactly once: nothing may be
	// repeated, and frozen workers must do no harm.
	ExactlyOnce Mode = "exactly-once"
	// Graceful lets workers come and go, and kills none: nothing may be repeated.
	Graceful Mode = "graceful"
	// Parking kills workers and lets them come and go, while one attempt in seven
	// fails. What was parked must come through once its time has come, in the order of
	// its key.
	Parking Mode = "parking"
)

// Modes are all of them.
var Modes = []Mode{AtLeastOnce, ExactlyOnce, Graceful, Parking}

// Config says what a run does.
type Config struct {
	Brokers  []string // as the run reaches them; required
	Pipeline string   // a name that the cluster does not have yet; required
	Worker   []string // the command that runs a worker, without flags; required
	Dir      string   // takes the journal and the logs; must have neither yet; required

	// Links are the ways of the workers to the brokers, so that they can be cut, and
	// listened to. Defaults to none: workers reach Brokers by themselves.
	Links []Link

	// NodeCommand does something to a node of the cluster: it gets "kill", "stop" or
	// "start" and the node's number, from 1 on, as arguments. It is needed where
	// brokers are to go.
	NodeCommand []string

	// Environment is added to that of the workers, each as name=value.
	Environment []string

	// Mode defaults to AtLeastOnce.
	Mode Mode

	// Seed decides on the faults, their times and the load. What happens in
	// between is up to the machine.
	Seed uint64

	// Messages is how many messages are produced at least: the load goes on until the
	// faults are through. Defaults to 200,000, and to 60,000 in mode Graceful.
	Messages int

	// Rate is how many messages a second are produced at most: many faults take
	// longer, and then the messages are spread over their time. Defaults to 1600, and
	// to 500 in the modes Graceful and Parking.
	Rate int

	// Keys is how many keys the messages have. Defaults to 1,000, and to 200 in mode
	// Parking.
	Keys int

	// Processes is how many processes each stage has. Defaults to 2, and to 4 in mode
	// Parking.
	Processes int

	// SlowWait is how long messages wait of the keys that wait for long. In mode Parking
	// those of other keys may take two thirds of it: much, because the faults keep the
	// machine busy. Defaults to 30 s, to 90 s in mode Parking, and to none in mode Graceful; below 0:
	// none.
	SlowWait time.Duration

	// Session is the session time-out of the workers. Defaults to 1.5 s, so that a
	// kill costs little time, and to 10 s in mode Graceful: there a busy machine
	// must not look like the death of a worker.
	Session time.Duration

	// Stop is how long a worker may take to finish what is under way when it is closed.
	// Defaults to 20 s.
	Stop time.Duration

	// Patience is how long the stages may take to come further with what is left when
	// the load has ended, beside what messages wait for. Defaults to 3 minutes.
	Patience time.Duration

	// Faults is how often what happens.
	Faults Faults

	// Log takes what happens, a line each. Defaults to nowhere.
	Log io.Writer
}

// trouble is how often attempts fail.
func (c Config) trouble() flow.Trouble {
	t := flow.Trouble{Chance: 50, Slow: c.SlowWait > 0}
	if c.Mode == Parking {
		t.Chance = 7
	}
	return t
}

// stages are what the run's pipeline has.
func (c Config) stages() []flow.Stage { return flow.Stages(c.trouble()) }

// deadline is how long a message of a key may take while another key waits. Where
// brokers go all keys may have to wait, and it is not tested.
func (c Config) deadline() time.Duration {
	if c.Mode != Parking {
		return 0
	}
	return c.SlowWait * 2 / 3
}

// ofMode is what a mode does unless it is told.
func (c Config) ofMode() Config {
	switch c.Mode {
	case Graceful:
		return Config{Messages: 60_000, Rate: 500, Keys: 1000, Processes: 2, SlowWait: -1, Session: 10 * time.Second}
	case Parking:
		return Config{Messages: 200_000, Rate: 500, Keys: 200, Processes: 4, SlowWait: 90 * time.Second, Session: 1500 * time.Millisecond}
	default:
		return Config{Messages: 200_000, Rate: 1600, Keys: 1000, Processes: 2, SlowWait: 30 * time.Second, Session: 1500 * time.Millisecond}
	}
}

func (c Config) withDefaults() Config {
	setDefault(&c.Mode, AtLeastOnce)
	of := c.ofMode()
	setDefault(&c.Messages, of.Messages)
	setDefault(&c.Rate, of.Rate)
	setDefault(&c.Keys, of.Keys)
	setDefault(&c.Processes, of.Processes)
	setDefault(&c.SlowWait, of.SlowWait)
	setDefault(&c.Session, of.Session)
	setDefault(&c.Stop, 20*time.Second)
	setDefault(&c.Patience, 3*time.Minute)
	c.SlowWait = max(0, c.SlowWait)
	c.Rate = min(c.Rate, max(1, int(float64(c.Messages)/c.duration().Seconds())))
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c
}

// perFault is about how long a fault takes with what comes of it.
const perFault = 5 * time.Second

// duration is how long the load goes on.
func (c Config) duration() time.Duration {
	return max(time.Duration(c.Messages)*time.Second/time.Duration(max(1, c.Rate)), time.Duration(c.Faults.sum())*perFault)
}

func setDefault[T comparable](v *T, to T) {
	if *v == *new(T) {
		*v = to
	}
}

func (c Config) validate() error {
	var errs []error
	if !slices.Contains(Modes, c.Mode) {
		errs = append(errs, fmt.Errorf("the mode is %q, and can be one of %q", c.Mode, Modes))
	}
	if c.Mode == Graceful && c.Faults.Kills > 0 {
		errs = append(errs, fmt.Errorf("a run in mode %s kills nobody", Graceful))
	}
	if c.Faults.Brokers > 0 && len(c.NodeCommand) == 0 {
		errs = append(errs, errors.New("brokers are to go, and NodeCommand is missing"))
	}
	if c.Faults.Cuts > 0 && len(c.Links) == 0 {
		errs = append(errs, errors.New("connections are to be cut, and there are no Links"))
	}
	for _, link := range c.Links {
		errs = append(errs, link.validate())
	}
	for name, n := range map[string]int{"messages": c.Messages, "the rate": c.Rate, "keys": c.Keys, "processes": c.Processes} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("the number for %s is too small", name))
		}
	}
	return errors.Join(append(errs, c.Faults.validate())...)
}
