package router_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// supervised is a process that is started again whenever it has crashed.
type supervised struct {
	t       *testing.T
	env     []string
	crashes *atomic.Int64
	halted  chan struct{} // closed when it has said so
	stopped chan struct{}

	mu    sync.Mutex
	stdin io.Closer // of the one that runs
	over  bool
}

func supervise(t *testing.T, addrs []string, mode string, lanes int, crashes *atomic.Int64) *supervised {
	t.Helper()
	s := &supervised{
		t: t, crashes: crashes, halted: make(chan struct{}), stopped: make(chan struct{}),
		env: append(os.Environ(), "GORACE=atexit_sleep_ms=0", crashBrokers+"="+strings.Join(addrs, ","), crashMode+"="+mode, fmt.Sprintf("%s=%d", crashLanes, lanes)),
	}
	go s.run()
	t.Cleanup(s.stop)
	return s
}

func (s *supervised) run() {
	defer close(s.stopped)
	for {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashingProcess$")
		cmd.Env = s.env
		stdin, _ := cmd.StdinPipe()
		stdout, _ := cmd.StdoutPipe()
		errs := &strings.Builder{}
		cmd.Stderr = errs
		s.mu.Lock()
		if s.over {
			s.mu.Unlock()
			return
		}
		s.stdin = stdin
		err := cmd.Start()
		s.mu.Unlock()
		if err != nil {
			s.t.Error(err)
			return
		}
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if lines.Text() == "halted" {
				close(s.halted)
			}
		}
		err = cmd.Wait()
		if testing.Verbose() {
			s.t.Log(errs.String())
		}
		if err == nil {
			return
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != crashed {
			s.t.Errorf("a process ends otherwise than it should: %v\n%s", err, errs)
			return
		}
		s.crashes.Add(1)
	}
}

// stop has it stop in an orderly way. Once stopped it does nothing.
func (s *supervised) stop() {
	s.mu.Lock()
	s.over = true
	if s.stdin != nil {
		_ = s.stdin.Close()
	}
	s.mu.Unlock()
	<-s.stopped
}
