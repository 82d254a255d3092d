package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// startKafka starts a fresh Kafka of one node on free ports with the script
// that `make kafka` uses, and removes it at the end.
func startKafka(ctx context.Context, root string) (*startedBroker, error) {
	port, err := freePorts(ctx)
	if err != nil {
		return nil, err
	}
	name := "bench." + strconv.Itoa(os.Getpid())
	script := func(ctx context.Context, verb string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", "kafka.sh"), verb) //nolint:gosec // the repository's own script
		cmd.Env = append(os.Environ(), "NODES=1", "PENSTOCK_KAFKA_NAME="+name, "PENSTOCK_KAFKA_PORT="+strconv.Itoa(port))
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = 30 * time.Second
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("scripts/kafka.sh %s: %w", verb, err)
		}
		return nil
	}
	stop := func() error {
		err := script(context.WithoutCancel(ctx), "stop")
		return errors.Join(err, os.RemoveAll(filepath.Join(root, ".cache", "kafka", "run", name+"-1")))
	}
	if err := script(ctx, "start"); err != nil {
		return nil, errors.Join(err, stop()) // it may have been interrupted half way
	}
	return &startedBroker{name: realKafka, version: os.Getenv("KAFKA_VERSION"), addrs: []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}, stop: stop}, nil
}

// freePorts finds a port for the clients' listener that is free, and the one
// 100 above it, which the script gives the controller. It looks below the ports
// that clients get.
func freePorts(ctx context.Context) (int, error) {
	for range 1000 {
		port := 20_000 + rand.IntN(10_000) //nolint:gosec // no secret
		if isFree(ctx, port) && isFree(ctx, port+100) {
			return port, nil
		}
	}
	return 0, errors.New("no free port found between 20000 and 30000")
}

func isFree(ctx context.Context, port int) bool {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
