package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/penstock/penstock/internal/broker"
)

// runEmbedded is the role of the embedded broker: it tells its addresses and
// runs until ctx ends.
func runEmbedded(ctx context.Context, dir string, out io.Writer) error {
	b, err := broker.Start(ctx, broker.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, strings.Join(b.Addrs(), ","))
	return errors.Join(b.Wait(ctx), b.Close())
}

// startedBroker is a broker in processes of its own.
type startedBroker struct {
	name, version string
	addrs         []string
	stop          func() error
}

// startEmbedded starts the embedded broker in a process of its own, on a data
// directory that goes with it.
func startEmbedded(ctx context.Context) (*startedBroker, error) {
	dir, err := os.MkdirTemp("", "penstock-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a data directory: %w", err)
	}
	cmd, err := again(context.WithoutCancel(ctx), roleBroker, dir)
	if err != nil {
		return nil, err
	}
	// All contestants meet the same broker: its collector should not take
	// more from one of them than from another.
	cmd.Env = append(os.Environ(), "GOGC=400")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	stop := func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		return errors.Join(err, cmd.Wait(), os.RemoveAll(dir))
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the embedded broker: %w", err), stop())
	}
	return &startedBroker{
		name: embedded, version: moduleVersion("github.com/twmb/franz-go/pkg/kfake"),
		addrs: strings.Split(strings.TrimSpace(line), ","), stop: stop,
	}, nil
}

// again is this program in another role. It ends when ctx does, after time to
// stop by itself.
func again(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // it is this program
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	return cmd, nil
}
