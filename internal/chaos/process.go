package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/penstock/penstock/internal/chaos/pulse"
)

// process is a worker.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	heeds chan struct{} // closed when it has told something, and so heeds signals
	ready chan struct{} // closed when it has its share of the partitions
	ended chan struct{} // closed when it is gone; then err says how
	err   error

	beat     *pulse.Pulse // what it is at
	stopping atomic.Bool  // its end is wanted
}

// startProcess starts a worker, which has a pulse where it is given one. What it logs
// goes to the end of a file.
func startProcess(ctx context.Context, name string, command, environment []string, logPath string, beat *pulse.Pulse) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start worker %s: %w", name, err)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the worker is what the run was told to run
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = log
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, fmt.Errorf("start worker %s: %w", name, errors.Join(err, log.Close()))
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start worker %s: %w", name, errors.Join(err, log.Close()))
	}
	p := &process{name: name, cmd: cmd, beat: beat, stdin: stdin, heeds: make(chan struct{}), ready: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.follow(stdout)
		p.err = errors.Join(cmd.Wait(), log.Close())
	}()
	return p, nil
}

// follow reads what the worker tells of itself until it is gone.
func (p *process) follow(out io.Reader) {
	told := map[string]chan struct{}{"begun": p.heeds, "ready": p.ready}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if told := told[lines.Text()]; told != nil {
			close(told)
		}
		delete(told, lines.Text())
	}
}

// kill ends the worker with SIGKILL, and returns how many messages it had in its
// filters.
func (p *process) kill() (inFlight int64, err error) {
	p.stopping.Store(true)
	if err := p.cmd.Process.Kill(); err != nil {
		return 0, fmt.Errorf("kill worker %s: %w", p.name, errors.Join(err, p.exited()))
	}
	<-p.ended
	return p.beat.InFilters.Load(), nil
}

// exited says how the worker has ended, if it has.
func (p *process) exited() error {
	select {
	case <-p.ended:
		return p.unexpected()
	default:
		return nil
	}
}

// pause stops the worker where it is, until resume.
func (p *process) pause() error { return p.signal(syscall.SIGSTOP) }

func (p *process) resume() error { return p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("send %v to worker %s: %w", s, p.name, err)
	}
	return nil
}

// closePatience is how long a worker may take to stop gracefully.
const closePatience = time.Minute

// close ends the worker gracefully.
func (p *process) close() error {
	p.stopping.Store(true)
	if err := p.awaitHeed(); err != nil {
		return err
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("close worker %s: %w", p.name, p.err)
		}
		return nil
	case <-time.After(closePatience):
		return fmt.Errorf("close worker %s: it is still there after %v", p.name, closePatience)
	}
}

// awaitHeed waits until the worker heeds signals.
func (p *process) awaitHeed() error {
	select {
	case <-p.heeds:
		return nil
	case <-p.ended:
		return p.unexpected()
	}
}

// readyPatience is how long a worker may take to get its share.
const readyPatience = time.Minute

// awaitReady waits until the worker has its share of the partitions.
func (p *process) awaitReady() error {
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		return p.unexpected()
	case <-time.After(readyPatience):
		return fmt.Errorf("worker %s is not ready after %v", p.name, readyPatience)
	}
}

func (p *process) unexpected() error {
	return fmt.Errorf("worker %s ended by itself: %w", p.name, errors.Join(p.err, errors.New("see its log")))
}
