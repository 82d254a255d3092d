package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

// errDrained is the cause of the end of a run that is done.
var errDrained = errors.New("everything is done")

// runRouter runs until ctx ends, the embedded broker fails or, where the job
// drains, everything is done.
func (a *app) runRouter(ctx context.Context, j *job, r *router.Router, admin *kafka.Admin, graphs []*pipeline.Graph) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	context.AfterFunc(running, func() { j.stopTime.begin() })
	undo := j.tellStop(ctx)
	defer undo()
	if b := j.cluster.broker; b != nil {
		go func() {
			if err := b.Wait(running); err != nil {
				stop(&brokerError{err})
			}
		}()
	}
	shown := &progress{}
	if j.drain {
		shown = newProgress(ctx, admin, r, graphs)
	}
	begun := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(running) }()
	if !j.drain {
		return brokerFailed(running, a.explain(<-ended, j))
	}

	drained := make(chan error, 1)
	go func() { drained <- a.awaitDrained(running, j, r, shown) }()
	var err error
	select {
	case err = <-ended:
		stop(nil) // ends the wait for it
		<-drained //nolint:errcheck // the run has ended, so it was not waited for to its end
	case err = <-drained:
		stop(errDrained)
		if ctx.Err() != nil {
			err = nil // it was stopped, which is told below
		}
		err = errors.Join(err, <-ended)
	}
	if err := brokerFailed(running, a.explain(err, j)); err != nil {
		return err
	}
	done := errors.Is(context.Cause(running), errDrained)
	a.printSummary(j, Summary{Duration: time.Since(begun), Stages: r.Stats()}, done)
	if !done {
		return interrupted("stopped by %w before everything was done: run it again to go on", context.Cause(running))
	}
	return nil
}

// awaitDrained waits until everything is done and shows how far it is.
func (a *app) awaitDrained(ctx context.Context, j *job, r *router.Router, p *progress) error {
	select {
	case <-r.Ready():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	hide := showProgress(ctx, j, p)
	defer hide()
	return r.AwaitDrained(ctx)
}

// brokerFailed adds why the embedded broker failed, if that is what ended ctx.
func brokerFailed(ctx context.Context, err error) error {
	if failed, ok := errors.AsType[*brokerError](context.Cause(ctx)); ok {
		return errors.Join(failed, err)
	}
	return err
}

// brokerError is the cause of the end of a run whose embedded broker has failed.
type brokerError struct{ err error }

func (e *brokerError) Error() string { return e.err.Error() }
func (e *brokerError) Unwrap() error { return e.err }
