package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
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

	inFlight atomic.Int64 // messages in its filters
	stopping atomic.Bool  // its end is wanted
}

// startProcess starts a worker. What it logs goes to the end of a file.
func startProcess(ctx context.Context, name string, command, environment []string, logPath string) (*process, error) {
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
	p := &process{name: name, cmd: cmd, stdin: stdin, heeds: make(chan struct{}), ready: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.follow(stdout)
		p.err = errors.Join(cmd.Wait(), log.Close())
	}()
	return p, nil
}

// follow reads what the worker tells of itself until it is gone.
func (p *process) follow(out io.Reader) {
	lines := bufio.NewScanner(out)
	isReady := false
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			close(p.heeds)
		}
		if n, err := strconv.ParseInt(lines.Text(), 10, 64); err == nil {
			p.inFlight.Store(n)
		} else if lines.Text() == "ready" && !isReady {
			isReady = true
			close(p.ready)
		}
	}
}

// busyPatience is how long a kill waits for a message in the worker's filters.
const busyPatience = 5 * time.Second

// kill ends the worker with SIGKILL, where it is to be busy if possible while it has
// messages in its filters, and returns how many it had.
func (p *process) kill(busy bool) (inFlight int64, err error) {
	p.stopping.Store(true)
	for deadline := time.Now().Add(busyPatience); busy && p.inFlight.Load() == 0 && time.Now().Before(deadline); {
		select {
		case <-p.ended:
			return 0, p.unexpected()
		case <-time.After(time.Millisecond):
		}
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return 0, fmt.Errorf("kill worker %s: %w", p.name, err)
	}
	<-p.ended // and what it wrote last is read
	return p.inFlight.Load(), nil
}

// closePatience is how long a worker may take to stop gracefully.
const closePatience = time.Minute

// close ends the worker gracefully.
func (p *process) close() error {
	p.stopping.Store(true)
	if err := p.awaitHeed(); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("close worker %s: %w", p.name, err)
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
