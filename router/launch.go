package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// launch brings the stages and the sources up, each by itself, so that one that
// cannot be opened keeps nobody waiting.
type launch struct {
	router *Router
	wm     *message.Router
	fail   context.CancelCauseFunc // ends the Run

	mu     sync.Mutex
	opened []closer // in the order of opening
	closed bool
}

// closer closes what was opened.
type closer func(context.Context) error

// begin begins. What it returns waits, when ctx has ended, until the sources have
// stopped and nothing is being opened any more.
func (l *launch) begin(ctx context.Context) (stopped func() error) {
	var wg sync.WaitGroup
	for _, s := range l.router.stages {
		wg.Go(func() { l.stage(ctx, s) })
	}
	for _, s := range l.router.sources {
		wg.Go(func() { l.source(ctx, s) })
	}
	return func() error {
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		limit := l.router.cfg.StopTimeout
		select {
		case <-done:
			return nil
		case <-time.After(limit):
			return fmt.Errorf("a source, or an Open, did not return within %v of being stopped", limit)
		}
	}
}

// stage opens the stage's filter and lets the stage join its group.
func (l *launch) stage(ctx context.Context, s *stage) {
	what := fmt.Sprintf("open the filter of stage %s (%s)", s.node.Group, s.node.Location)
	if !l.open(ctx, s.log, s.life, what, func(ctx context.Context) error {
		err := s.node.Open(ctx)
		if err != nil {
			s.stats.restarts.Add(1)
		}
		return err
	}, s.node.Close) {
		return
	}
	l.wm.AddConsumerHandler(s.node.Group, s.node.Group, s.sub, s.handle)
	if err := l.wm.RunHandlers(context.WithoutCancel(ctx)); err != nil {
		l.fail(&finalError{fmt.Errorf("run stage %s: %w", s.node.Group, err)})
	}
}

// source opens the source and runs it.
func (l *launch) source(ctx context.Context, s *source) {
	what := fmt.Sprintf("open source %s (%s)", s.name, s.node.Location)
	if l.open(ctx, s.log, s.life, what, func(ctx context.Context) error {
		err := s.open(ctx)
		if err != nil {
			s.restarts.Add(1)
		}
		return err
	}, s.close) {
		s.run(ctx)
	}
}

// open opens until that succeeds. It is false when ctx has ended first, or the
// error is final: then the Run ends with it.
func (l *launch) open(ctx context.Context, log *slog.Logger, life *lifecycle, what string, open, closeIt closer) bool {
	did := false
	err := keepTrying(ctx, log, life, "Open", func(ctx context.Context) error {
		if err := open(ctx); err != nil {
			return opening(what, err)
		}
		did = true
		return nil
	})
	if err != nil {
		l.fail(err)
	}
	return did && l.keep(closeIt) && ctx.Err() == nil
}

// keep remembers how to close what was opened. It is false where all is closed
// already, because an Open came back after the stop time-out: then that is
// closed at once.
func (l *launch) keep(c closer) bool {
	l.mu.Lock()
	late := l.closed
	if !late {
		l.opened = append(l.opened, c)
	}
	l.mu.Unlock()
	if late {
		_ = c(context.Background()) // nobody is left to tell
	}
	return !late
}

// close closes all that was opened, the last one first.
func (l *launch) close(ctx context.Context) error {
	l.mu.Lock()
	opened := l.opened
	l.opened, l.closed = nil, true
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.router.cfg.StopTimeout)
	defer cancel()
	var errs []error
	for _, c := range slices.Backward(opened) {
		errs = append(errs, guarded(ctx, c))
	}
	return errors.Join(errs...)
}

// onStart calls the program's hook until it succeeds.
func (r *Router) onStart(ctx context.Context) error {
	if r.cfg.OnStart == nil {
		return nil
	}
	hook := func(ctx context.Context) error { return opening("start", r.cfg.OnStart(ctx)) }
	return keepTrying(ctx, r.cfg.Logger, r.life, "OnStart", hook)
}

// onStop calls the program's hook.
func (r *Router) onStop(ctx context.Context) error {
	if r.cfg.OnStop == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.StopTimeout)
	defer cancel()
	if err := guarded(ctx, r.cfg.OnStop); err != nil {
		return fmt.Errorf("the program's OnStop failed: %w", err)
	}
	return nil
}
