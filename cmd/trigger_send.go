package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/penstock/penstock/router/kafka"
)

// The bounds of what is sent at a time, and of how long that may take.
const (
	sendTimeout      = 30 * time.Second
	maxBatchTriggers = 1000
	maxBatchBytes    = 4 << 20
)

// sender stores triggers in the order of their input.
type sender struct {
	app    *app
	flags  *triggerFlags
	pub    *kafka.Publisher
	topic  string
	batch  []made
	bytes  int
	stored int
}

// triggerDocument is a trigger that is stored, for scripts.
type triggerDocument struct {
	ID    string `json:"id"`
	Topic string `json:"topic"`
	Line  int    `json:"line,omitempty"` // of standard input
	Key   []byte `json:"key"`            // in base64; null: none
}

func (a *app) send(ctx context.Context, cl *cluster, m *triggerMaker) (err error) {
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{
		Config: cl.kafka, Producer: kafka.ProducerConfig{DeliveryTimeout: sendTimeout}, CloseTimeout: sendTimeout, Logger: quietLog(a.stderr),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pub.Close()) }()
	s := &sender{app: a, flags: m.flags, pub: pub, topic: m.topic}
	if m.flags.flags.Changed(valueFlag) || m.flags.flags.Changed(fileFlag) {
		return s.one(ctx, m)
	}
	return s.lines(ctx, m)
}

// one stores the trigger of --value or --file.
func (s *sender) one(ctx context.Context, m *triggerMaker) error {
	value := []byte(s.flags.value)
	if s.flags.flags.Changed(fileFlag) {
		var err error
		value, err = aside(ctx, func() ([]byte, error) { return s.app.readWhole(s.flags.file, inputLimit(s.flags.maxMessageBytes)) })
		if err != nil {
			return err
		}
	}
	t, err := m.make(ctx, 0, value)
	if err != nil {
		return err
	}
	s.batch = append(s.batch, t)
	if err := s.flush(ctx); err != nil {
		return err
	}
	if !s.flags.json {
		fmt.Fprintf(s.app.stdout, "Stored trigger %s in topic %s.\n", t.id, s.topic)
	}
	return nil
}

// lines stores a trigger of each line of standard input.
func (s *sender) lines(ctx context.Context, m *triggerMaker) error {
	if f, ok := s.app.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(s.app.stderr, "%s: reading triggers from this terminal, one a line; Ctrl-D ends them\n", s.app.name)
	}
	in := newLines(s.app.stdin, inputLimit(s.flags.maxMessageBytes))
	for {
		line, err := aside(ctx, in.next)
		if errors.Is(err, io.EOF) {
			break
		}
		var t made
		if _, long := errors.AsType[*tooLongError](err); long {
			err = fmt.Errorf("%s: %w", subject(in.n), err)
		}
		if err == nil {
			t, err = m.make(ctx, in.n, line)
		}
		if err != nil {
			return s.stop(ctx, err)
		}
		s.batch = append(s.batch, t)
		s.bytes += len(t.out.Value) + len(t.out.Key)
		if len(s.batch) >= maxBatchTriggers || s.bytes >= maxBatchBytes || !in.more() {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if s.stored == 0 {
		fmt.Fprintf(s.app.stderr, "%s: standard input had no line, so nothing was stored: give --%s or --%s for a single trigger\n", s.app.name, valueFlag, fileFlag)
	}
	if !s.flags.json {
		fmt.Fprintf(s.app.stdout, "Stored %d triggers in topic %s.\n", s.stored, s.topic)
	}
	return nil
}

// stop stores what stands before a line that is wrong.
func (s *sender) stop(ctx context.Context, because error) error {
	if ctx.Err() != nil {
		return s.tell(because)
	}
	if err := s.flush(ctx); err != nil {
		return err // of an earlier line
	}
	return s.tell(because)
}

// tell says how far it came.
func (s *sender) tell(because error) error {
	return fmt.Errorf("%w; the %d lines before are stored, and none from there on", because, s.stored)
}

// flush stores the batch.
func (s *sender) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return nil
	}
	outs := make([]kafka.Output, len(s.batch))
	for i := range s.batch {
		outs[i] = s.batch[i].out
	}
	err := s.pub.Send(ctx, outs...)
	if _, large := errors.AsType[*kafka.TooLargeError](err); large {
		return s.oneByOne(ctx) // none was sent
	}
	if err != nil {
		return s.unknown(ctx, err)
	}
	s.confirmed(s.batch)
	s.batch, s.bytes = s.batch[:0], 0
	return nil
}

// oneByOne stores what stands before the trigger that its topic would refuse.
func (s *sender) oneByOne(ctx context.Context) error {
	batch := s.batch
	for i, t := range batch {
		s.batch = batch[i : i+1]
		err := s.pub.Send(ctx, t.out)
		if _, large := errors.AsType[*kafka.TooLargeError](err); large {
			err = fmt.Errorf("%s: %w", subject(t.line), err)
			if t.line == 0 {
				return err
			}
			return s.tell(err)
		}
		if err != nil {
			return s.unknown(ctx, err)
		}
		s.confirmed(s.batch)
	}
	s.batch, s.bytes = batch[:0], 0
	return nil
}

// confirmed counts what is stored.
func (s *sender) confirmed(triggers []made) {
	s.stored += len(triggers)
	if !s.flags.json {
		return
	}
	for _, t := range triggers {
		s.app.stdout.line(triggerDocument{ID: t.id, Topic: s.topic, Line: t.line, Key: t.out.Key})
	}
}

// unknown says what is known of a batch that was not confirmed.
func (s *sender) unknown(ctx context.Context, err error) error {
	first, last := s.batch[0].line, s.batch[len(s.batch)-1].line
	if first == 0 {
		err = fmt.Errorf("store the trigger: %w; whether it is stored is not known", err)
	} else {
		err = fmt.Errorf("store lines %d to %d: %w; whether they are stored is not known, and the %d lines before are", first, last, err, s.stored)
	}
	return signalled(ctx, err)
}
