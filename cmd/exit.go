package cmd

import (
	"errors"
	"fmt"
)

// The exit statuses of every command.
const (
	ExitOK          = 0   // done
	ExitFailed      = 1   // failed: the cluster, a file, a filter that cannot be opened
	ExitWrongUse    = 2   // wrong flags or arguments, or a pipeline that cannot be built
	ExitTopics      = 3   // topics are missing, or `topics plan --check` found something to do
	ExitInterrupted = 130 // ended by a signal before it was done; run: by a second one
)

// exitHelp is what the help says of them.
const exitHelp = `Exit status:
  0    done
  1    failed
  2    wrong use: flags, arguments, or a pipeline that cannot be built
  3    topics are missing, or "topics plan --check" found something to do
  130  ended by a signal before it was done (a run: by a second signal)`

// exitError is an error that decides the exit status. Any other one means
// ExitFailed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// wrongUse says what is wrong with how a command was called.
func wrongUse(format string, args ...any) error {
	return &exitError{ExitWrongUse, fmt.Errorf(format, args...)}
}

// topicsMissing says which topics are to be made first, and how.
func topicsMissing(format string, args ...any) error {
	return &exitError{ExitTopics, fmt.Errorf(format, args...)}
}

// interrupted says what a signal kept from being done.
func interrupted(format string, args ...any) error {
	return &exitError{ExitInterrupted, fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &e):
		return e.code
	}
	return ExitFailed
}
