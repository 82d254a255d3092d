package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the cause of a context that a signal has ended.
type signalError struct{ os.Signal }

// Error names the signal as the shell does.
func (s signalError) Error() string {
	switch s.Signal {
	case syscall.SIGINT:
		return "SIGINT"
	case syscall.SIGTERM:
		return "SIGTERM"
	}
	return s.String()
}

// untilSignal returns a context that the first SIGINT or SIGTERM ends. The
// second ends the process at once: whoever sends it does not want to wait.
func untilSignal(stderr io.Writer, name string) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		cancel(signalError{<-signals})
		second := <-signals
		fmt.Fprintf(stderr, "%s: ended at once by a second signal, %s; what was not finished is done again by the next run\n", name, signalError{second}.Error())
		os.Exit(ExitInterrupted) //nolint:revive // there is nobody left to return to
	}()
	return ctx
}

// signalled gives an error the status of a command that a signal has ended, if
// that is what it tells.
func signalled(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || !errors.Is(err, cause) || exitCode(err) != ExitFailed {
		return err
	}
	return interrupted("%w", err)
}
