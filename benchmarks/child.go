package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// runLimit bounds a run: what hangs is an error, not an endless benchmark.
const runLimit = 10 * time.Minute

// runContestant is the role of a contestant: it takes its job from in and
// writes its measurement to out.
func runContestant(ctx context.Context, in io.Reader, out io.Writer) error {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	run, ok := contestants[j.Contestant]
	if !ok {
		return fmt.Errorf("there is no contestant %q", j.Contestant)
	}
	c, err := connect(j.Brokers)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	running, stop := context.WithCancelCause(ctx)
	m := newMeter(j)
	ended := make(chan error, 1)
	go func() {
		err := run(running, j, m.filter)
		if running.Err() == nil {
			stop(errors.Join(errors.New("the contestant ended by itself"), err)) // ends the wait below
		}
		ended <- err
	}()
	measured, err := m.await(running, func(ctx context.Context) (int64, error) { return c.seen(ctx, j) })
	stop(context.Canceled)
	if err := errors.Join(err, <-ended); err != nil {
		return fmt.Errorf("%s: %w", j.Contestant, err)
	}
	return json.NewEncoder(out).Encode(measured)
}
