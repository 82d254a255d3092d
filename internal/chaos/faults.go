package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Faults is how often what happens in a run.
type Faults struct {
	Kills    int // SIGKILL of a worker, which is started again
	Closes   int // SIGTERM of a worker, which is started again: a leave and a join
	Joins    int // one more worker of a stage, which leaves again
	Rollings int // all workers of a stage are closed and started, one after the other
	Freezes  int // SIGSTOP of a worker for longer than its session, and SIGCONT
	Brokers  int // SIGKILL or SIGTERM of a broker, which is started again
	Cuts     int // the connections of all workers to a broker fail
}

// faultKind is what happens.
type faultKind string

const (
	killWorker   faultKind = "kill"
	closeWorker  faultKind = "close"
	joinWorker   faultKind = "join"
	rollStage    faultKind = "rolling restart"
	freezeWorker faultKind = "freeze"
	takeBroker   faultKind = "broker"
	cutLink      faultKind = "cut"
)

var faultKinds = []faultKind{killWorker, closeWorker, joinWorker, rollStage, freezeWorker, takeBroker, cutLink}

// of is how often a kind of fault happens.
func (f Faults) of(kind faultKind) int {
	return map[faultKind]int{
		killWorker: f.Kills, closeWorker: f.Closes, joinWorker: f.Joins, rollStage: f.Rollings,
		freezeWorker: f.Freezes, takeBroker: f.Brokers, cutLink: f.Cuts,
	}[kind]
}

// Only is the faults that are of the kinds named, as a log names them.
func (f Faults) Only(names []string) (only Faults, err error) {
	for _, name := range names {
		switch faultKind(name) {
		case killWorker:
			only.Kills = f.Kills
		case closeWorker:
			only.Closes = f.Closes
		case joinWorker:
			only.Joins = f.Joins
		case rollStage:
			only.Rollings = f.Rollings
		case freezeWorker:
			only.Freezes = f.Freezes
		case takeBroker:
			only.Brokers = f.Brokers
		case cutLink:
			only.Cuts = f.Cuts
		default:
			return Faults{}, fmt.Errorf("there is no fault %q; there are %q", name, faultKinds)
		}
	}
	return only, nil
}

func (f Faults) sum() (n int) {
	for _, kind := range faultKinds {
		n += f.of(kind)
	}
	return n
}

func (f Faults) validate() error {
	for _, kind := range faultKinds {
		if f.of(kind) < 0 {
			return fmt.Errorf("fault %s is to happen %d times", kind, f.of(kind))
		}
	}
	return nil
}

// DefaultKills is how many workers a mode kills unless it is told.
func DefaultKills(mode Mode) int {
	if mode == Parking {
		return 32
	}
	return 10
}

// DefaultFaults is what a mode does beside so many kills.
func DefaultFaults(mode Mode, kills int) Faults {
	if mode == Graceful {
		return Faults{Closes: 15, Joins: 3, Rollings: 10}
	}
	f := Faults{Kills: kills, Closes: kills/4 + 1, Joins: kills/8 + 1, Rollings: kills/8 + 1}
	if mode != Parking {
		f.Freezes, f.Brokers, f.Cuts = kills/5+1, kills/8+1, kills/4+1
	}
	return f
}

// fault is one thing that happens.
type fault struct {
	kind   faultKind
	after  time.Duration // since the fault before
	stage  int
	slot   int
	broker int
	down   time.Duration // until what went comes again, or what came goes

	aim   Phase  // of a kill: in which it is to meet the worker; "": whatever it is at
	how   string // of a broker's end, or a cut
	bytes int    // of a cut that breaks off what is said
}

// longestDown bounds the time that a worker is away.
const longestDown = 3 * time.Second

// aims are what kills aim at, in turn: half of them at nothing. What a worker says to
// the brokers is known only where there are links.
func aims(cfg Config) []Phase {
	switch {
	case len(cfg.Links) == 0:
		return []Phase{InFlight, "", InTakeover, ""}
	case cfg.Mode == ExactlyOnce:
		return []Phase{InTransaction, "", InCommit, "", InTakeover, "", InRebalance, ""}
	default:
		return []Phase{InFlight, "", InCommit, "", InTakeover, "", InRebalance, ""}
	}
}

// longestBreak is about how much is said before a connection breaks, at the most.
const longestBreak = 20_000

// plan draws the faults of a run, spread over the time that its messages take.
func plan(cfg Config, stages int) []fault {
	random := rand.New(rand.NewPCG(cfg.Seed, 2)) //nolint:gosec // a seed makes it the same again
	var faults []fault
	for _, kind := range faultKinds {
		for range cfg.Faults.of(kind) {
			faults = append(faults, fault{kind: kind})
		}
	}
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	mean := cfg.duration() / time.Duration(max(len(faults), 1))
	// A worker that is away takes from the time to the next fault.
	mean = max(mean-longestDown/2, time.Second)
	kills, aims := 0, aims(cfg)
	for i := range faults {
		f := &faults[i]
		f.after = time.Duration(random.Int64N(int64(2 * mean)))
		f.stage, f.slot = random.IntN(stages), random.IntN(cfg.Processes)
		f.broker = random.IntN(max(1, len(cfg.Links), len(cfg.Brokers)))
		f.down = time.Duration(random.Int64N(int64(longestDown)))
		switch f.kind {
		case killWorker:
			f.aim = aims[kills%len(aims)]
			kills++
		case freezeWorker:
			f.down += cfg.Session + time.Second
		case takeBroker:
			f.how = []string{"kill", "stop"}[random.IntN(2)]
		case cutLink:
			f.how, f.bytes = cuts[random.IntN(len(cuts))], random.IntN(longestBreak)
		case closeWorker, joinWorker, rollStage:
		}
	}
	return faults
}
