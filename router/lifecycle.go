package router

import (
	"sync"
	"time"
)

// State is where a stage or a source is in its life.
type State string

const (
	// StateStarting means that it is being opened, or joins its group.
	StateStarting State = "starting"
	// StateRunning means that it works, or waits for work.
	StateRunning State = "running"
	// StateRestarting means that it failed, and is tried again.
	StateRestarting State = "restarting"
	// StateStopping means that it finishes what it is at.
	StateStopping State = "stopping"
	// StateDone means that a source has nothing more to put.
	StateDone State = "done"
)

// Life is a State with what is to be known about it.
type Life struct {
	State State
	Since time.Time

	Error error     // why it is being restarted; nil otherwise
	Next  time.Time // when it is tried next; zero: it is not for us to say
}

// lifecycle keeps the Life of one stage or source. It is safe for concurrent
// use.
type lifecycle struct {
	mu   sync.Mutex
	life Life
}

func newLifecycle() *lifecycle {
	return &lifecycle{life: Life{State: StateStarting, Since: time.Now()}}
}

// set changes the state. What stops or is done stays so.
func (l *lifecycle) set(s State) { l.change(Life{State: s}) }

// failed says that it is tried again, and when.
func (l *lifecycle) failed(err error, next time.Time) {
	l.change(Life{State: StateRestarting, Error: err, Next: next})
}

func (l *lifecycle) change(to Life) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life.State == StateStopping || l.life.State == StateDone {
		return
	}
	to.Since = l.life.Since
	if to.State != l.life.State {
		to.Since = time.Now()
	}
	l.life = to
}

func (l *lifecycle) read() Life {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.life
}
