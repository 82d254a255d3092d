package cmd

import (
	"context"
	"time"
)

// followFlag has a command look again and again.
const followFlag = "follow"

// follow looks again and again until ctx ends, which is how one ends it, or until
// nobody reads what is printed.
func (a *app) follow(ctx context.Context, every time.Duration, look func(context.Context) error) error {
	for {
		err := look(ctx)
		if ctx.Err() != nil || a.stdout.err != nil {
			return nil //nolint:nilerr // it was interrupted, and a failed write is told by who ends the command
		}
		if err != nil {
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return nil
		}
	}
}
