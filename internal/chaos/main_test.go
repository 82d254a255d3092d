package chaos_test

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/penstock/penstock/internal/chaos/worker"
)

// asWorker is set where the test's binary is to be a worker.
const asWorker = "PENSTOCK_CHAOS_AS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(asWorker) == "" {
		os.Exit(m.Run())
	}
	os.Exit(runWorker())
}

func runWorker() (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	control := worker.Control(os.Getenv(worker.ControlVariable))
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := worker.Run(ctx, os.Args[1:], control, os.Stdin, os.Stdout, log); err != nil {
		log.Error("worker", "error", err)
		return 1
	}
	return 0
}
