package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// stopSignal is the cause of a context that a signal has ended.
type stopSignal struct{ os.Signal }

// Error names the signal as the shell does.
func (s stopSignal) Error() string {
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
		cancel(stopSignal{<-signals})
		second := <-signals
		fmt.Fprintf(stderr, "%s: ended at once by a second signal, %s; what was not finished is done again by the next run\n", name, stopSignal{second}.Error())
		os.Exit(ExitInterrupted) //nolint:revive // there is nobody left to return to
	}()
	return ctx
}
