package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// PoisonResult is what Replay or Drop has done.
type PoisonResult struct {
	// Done is how many messages were replayed or dropped, or in a dry run would
	// have been.
	Done int

	// Released is how many of them were held: their keys go on.
	Released int

	// Pending is how many were replayed before and still wait for their stage.
	// They were left alone.
	Pending int

	// Closed is how many were replayed or dropped before, and were left alone.
	// It is counted only where a position was named.
	Closed int

	// Others is how many records of the topic are none that this version reads.
	Others int
}

// Bounds of what is sent at a time.
const (
	poisonDelivery = 30 * time.Second
	maxActs        = 500
	maxActBytes    = 4 << 20
)

// actor does something about messages, in the order of the topic.
type actor struct {
	log    *PoisonLog
	parked parkedPoison
	dryRun bool
	pace   poisonPace
	tell   func(PoisonResult)

	result  PoisonResult
	to      []kafka.Output // for the retry logs
	actions []kafka.Output // for the poison topic
	bytes   int
	of      PoisonResult // what they count for
}

// act calls do with each message of the selection, but for those that are
// pending. do adds to the actor what is to be sent.
func (a *actor) act(ctx context.Context, sel PoisonSelection, do func(*PoisonMessage) error) (PoisonResult, error) {
	l := a.log
	if l.cfg.By == "" {
		return a.result, errors.New("PoisonConfig.By is empty: say who acts")
	}
	logs, err := l.parked(ctx)
	if err != nil {
		return a.result, err
	}
	a.parked = logs
	found := false
	others, err := l.each(ctx, a.parked, func(m *PoisonMessage) error {
		if !sel.names(m) {
			return nil
		}
		found = true
		switch {
		case m.Pending:
			a.result.Pending++
			return a.mend(ctx, m)
		case !sel.matches(m):
			if sel.Position != nil {
				a.result.Closed++
			}
			return nil
		}
		if err := do(m); err != nil {
			return fmt.Errorf("message at position %s: %w", m.Position, err)
		}
		return a.flushIfFull(ctx)
	})
	a.result.Others = others
	if err == nil {
		err = a.flush(ctx)
	}
	if err == nil && !found && sel.Position != nil {
		err = fmt.Errorf("%s at position %s: %w", l.topic.Name, sel.Position, ErrNotPoisoned)
	}
	return a.result, err
}

// mend says for the record that a message was replayed whose replay is pending:
// whoever asked for it may have been broken off before that. To say it twice does
// no harm.
func (a *actor) mend(ctx context.Context, m *PoisonMessage) error {
	if m.recorded || a.dryRun {
		return nil
	}
	action := PoisonAction{Kind: PoisonReplay, Position: m.Position, By: a.log.cfg.By, At: time.Now()}
	if err := a.log.send(ctx, action.output(a.log.topic.Name)); err != nil {
		return fmt.Errorf("record in %s that the message at position %s was replayed: %w", a.log.topic.Name, m.Position, err)
	}
	return nil
}

// retryLog is where the stage is to be told of a message.
func (a *actor) retryLog(m *PoisonMessage) (string, error) {
	name := retryLogOf(a.log.cfg.Stage, m.Topic)
	topic, exists := a.parked.logs[name]
	if !exists {
		return "", fmt.Errorf("%w: %s, which the stage would read it from: make it with \"topics apply\"", ErrNoRetryLog, name)
	}
	if int(m.Partition) >= topic.Partitions {
		return "", fmt.Errorf("it was read from %s/%d, and %s has only %d partitions: add partitions with \"topics apply\"", m.Topic, m.Partition, name, topic.Partitions)
	}
	return name, nil
}

// ErrNoRetryLog means that the stage has no retry log for the pipe of a message.
var ErrNoRetryLog = errors.New("there is no such retry log")

// add takes what is to be sent about a message: an event for the retry log, if
// there is one, and the action. The message's bytes are those of a fetch, which
// stay as they are.
func (a *actor) add(m *PoisonMessage, log string, event parking.Event, action PoisonAction) {
	a.of.Done++
	if m.State == PoisonHeld {
		a.of.Released++
	}
	action.Position, action.By = m.Position, a.log.cfg.By
	a.actions = append(a.actions, action.output(a.log.topic.Name))
	if event == nil {
		return
	}
	key, value, headers := parking.Encode(event)
	a.to = append(a.to, kafka.Output{Topic: log, Placed: true, Partition: m.Partition, Key: key, Value: value, Headers: headers})
	a.bytes += len(key) + len(value)
}

func (a *actor) flushIfFull(ctx context.Context) error {
	if len(a.actions) < a.pace.batch() && a.bytes < maxActBytes {
		return nil
	}
	return a.flush(ctx)
}

// flush stores what was added. First the retry log has to have it, with the
// acknowledgement of all replicas in sync, and only then the poison topic says
// that it was done. After a crash in between the message is still open, or
// pending, for all who look: it may be replayed twice, with the same id. The
// other way round it would look as if it had been done.
func (a *actor) flush(ctx context.Context) error {
	n := len(a.actions)
	if n == 0 {
		return nil
	}
	if !a.dryRun {
		if err := a.pace.wait(ctx, n); err != nil {
			return err
		}
		if err := a.sendAll(ctx, a.to); err != nil {
			return fmt.Errorf("tell stage %s: %w; which of %d messages it was told of is not known, none of them is recorded as done", a.log.cfg.Stage, err, n)
		}
		if err := a.sendAll(ctx, a.actions); err != nil {
			return fmt.Errorf("record in %s what was done: %w; stage %s was told of %d messages that may still be listed as open", a.log.topic.Name, err, a.log.cfg.Stage, n)
		}
	}
	a.result.Done += a.of.Done
	a.result.Released += a.of.Released
	a.to, a.actions, a.bytes, a.of = nil, nil, 0, PoisonResult{}
	if a.tell != nil {
		a.tell(a.result)
	}
	return nil
}

func (a *actor) sendAll(ctx context.Context, outs []kafka.Output) error {
	if len(outs) == 0 {
		return nil
	}
	return a.log.send(ctx, outs...)
}

// poisonPace keeps to a rate. The zero value knows no limit.
type poisonPace struct {
	rate float64 // a second
	next time.Time
}

// batch is how many go at a time: a tenth of a second's.
func (p *poisonPace) batch() int {
	if p.rate <= 0 {
		return maxActs
	}
	return int(min(max(p.rate/10, 1), maxActs))
}

// wait lets time pass until n more may go.
func (p *poisonPace) wait(ctx context.Context, n int) error {
	if p.rate <= 0 {
		return ctx.Err()
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	t := time.NewTimer(p.next.Sub(now))
	defer t.Stop()
	p.next = p.next.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
