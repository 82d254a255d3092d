package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// The roles that the program starts itself in.
const (
	roleContestant = "contestant"
	roleBroker     = "broker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		s, err := readSettings(os.Getenv)
		if err != nil {
			return err
		}
		return bench(ctx, s, os.Stdout)
	case args[0] == roleContestant:
		return runContestant(ctx, os.Stdin, os.Stdout)
	case args[0] == roleBroker && len(args) == 2:
		return runEmbedded(ctx, args[1], os.Stdout)
	default:
		return fmt.Errorf("%q is not known: settings are environment variables, see docs/performance.md", args)
	}
}
