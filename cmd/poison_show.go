package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/penstock/penstock/router"
)

// poisonShowFlags are the flags of poison show.
type poisonShowFlags struct {
	connection *connection
	value      string
	json       bool
}

const valueFlag = "value"

func (a *app) poisonShow() *cobra.Command {
	c := &cobra.Command{
		Use:   "show STAGE POSITION",
		Short: "Show a poisoned message with its whole story",
		Long: `Show prints a poisoned message: its story, what has become of it, its headers, and its value as text or,
where it is none, as a hex dump of its beginning. STAGE and POSITION are those of
"poison ls".

With --value it writes the value alone, byte for byte, to a file or, as -, to
standard output. As JSON, bytes are in base64.`,
		Example: a.example("{} poison show STAGE 12", "{} poison show STAGE 12 --value message.bin", "{} poison show STAGE 12 --value - | head -c 100"),
		Args:    cobra.ExactArgs(2),
	}
	c.ValidArgsFunction = a.completeNames(stageNames)
	f := &poisonShowFlags{connection: newConnection(c.Flags())}
	c.Flags().StringVar(&f.value, valueFlag, "", "write the value alone to this `file`, or to standard output as -")
	c.Flags().BoolVar(&f.json, jsonFlag, false, "print JSON")
	a.does(c, func(ctx context.Context, args []string) error {
		if f.json && f.value != "" {
			return wrongUse("%s and %s ask for two forms of output: leave one of them out", given(c.Flags(), jsonFlag), given(c.Flags(), valueFlag))
		}
		if args[0] == "" {
			return wrongUse("the stage is empty: name it as \"poison ls\" does")
		}
		at, err := parsePosition(args[1])
		if err != nil {
			return err
		}
		p, history, err := a.findPoison(ctx, f.connection, args[0], at)
		if err != nil {
			return err
		}
		switch {
		case f.value != "":
			return a.writeValue(&p.Poisoned, f.value)
		case f.json:
			a.stdout.document(wholeDocument(p, history))
		default:
			a.printPoisoned(p, history)
		}
		return nil
	})
	return a.buildsPipelines(c)
}

// findPoison reads the message at a position.
func (a *app) findPoison(ctx context.Context, c *connection, stage string, at router.PoisonPosition) (found *router.PoisonMessage, history []router.PoisonEvent, err error) {
	err = a.onePoison(ctx, c, stage, "", func(log *router.PoisonLog, t poisonTopic) error {
		found, history, err = log.Message(ctx, at)
		if errors.Is(err, router.ErrNotPoisoned) {
			return noPoisonAt(at, t.topic)
		}
		return err
	})
	return found, history, err
}

func (a *app) writeValue(p *router.Poisoned, file string) error {
	if file == "-" {
		if _, err := a.stdout.Write(p.Value); err != nil {
			return fmt.Errorf("write the value to standard output: %w", err)
		}
		return nil
	}
	if err := os.WriteFile(file, p.Value, 0o600); err != nil { // it may hold what not everybody should read
		return fmt.Errorf("write the value: %w", err)
	}
	fmt.Fprintf(a.stderr, "%s: wrote %d bytes to %s\n", a.name, len(p.Value), file)
	return nil
}

// poisonWhole is a poisoned message with everything, for scripts.
type poisonWhole struct {
	poisonDocument

	History []eventDocument  `json:"history"`
	Headers []headerDocument `json:"headers"`
	Value   []byte           `json:"value"` // null: a tombstone
}

type headerDocument struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

// eventDocument is a station in the life of a message.
type eventDocument struct {
	Position string    `json:"position"` // of the record that says so
	Event    string    `json:"event"`    // poisoned, replay or drop
	Time     time.Time `json:"time"`
	By       string    `json:"by,omitempty"`
	Reason   string    `json:"reason,omitempty"` // the last error, or why it was dropped
	Attempts int       `json:"attempts,omitempty"`
	ID       string    `json:"id,omitempty"` // of what was edited
}

func eventOf(e *router.PoisonEvent) eventDocument {
	if p := e.Poisoned; p != nil {
		return eventDocument{Position: e.Position.String(), Event: "poisoned", Time: p.At, Reason: p.LastError, Attempts: p.Attempts}
	}
	x := e.Action
	return eventDocument{Position: e.Position.String(), Event: string(x.Kind), Time: x.At, By: x.By, Reason: x.Reason, ID: x.ID}
}

// text is the event in a line.
func (e eventDocument) text() string {
	text := e.Time.Local().Format(time.RFC3339) + " " + e.Event
	if e.Event == "poisoned" {
		return fmt.Sprintf("%s at position %s after %d attempts: %s", text, e.Position, e.Attempts, e.Reason)
	}
	text += " by " + e.By
	if e.ID != "" {
		text += ", edited, as " + e.ID
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

func wholeDocument(p *router.PoisonMessage, history []router.PoisonEvent) poisonWhole {
	d := poisonWhole{poisonDocument: document(p), History: []eventDocument{}, Headers: []headerDocument{}, Value: p.Value}
	for i := range history {
		d.History = append(d.History, eventOf(&history[i]))
	}
	for _, h := range p.Headers {
		d.Headers = append(d.Headers, headerDocument{string(h.Key), h.Value})
	}
	return d
}

func (a *app) printPoisoned(p *router.PoisonMessage, history []router.PoisonEvent) {
	field := func(name, value string) { fmt.Fprintf(a.stdout, "%-13s %s\n", name, value) }
	field("stage", cellText(p.Stage))
	field("position", p.Position.String())
	state := string(p.State)
	if p.Pending {
		state += ", the stage is not through with it"
	}
	field("state", state)
	field("group", p.Group)
	field("poisoned", p.At.Local().Format(time.RFC3339))
	field("attempts", number(int64(p.Attempts)))
	if p.Replays > 0 {
		field("replays", number(int64(p.Replays)))
	}
	field("reason", cellText(p.LastError))
	if p.FirstError != p.LastError {
		field("first error", cellText(p.FirstError))
	}
	for i := range history {
		if len(history) > 1 {
			field("history", cellText(eventOf(&history[i]).text()))
		}
	}
	field("read from", cellText(originDocument{p.Topic, p.Partition, p.Offset, p.RecordTime}.String()))
	field("stored", p.RecordTime.Local().Format(time.RFC3339))
	field("key", keyText(p.Key))
	for _, h := range p.Headers {
		field("header", cellText(string(h.Key))+" = "+shortText(h.Value))
	}
	if p.Value == nil {
		field("value", "none: a tombstone")
		return
	}
	field("value", fmt.Sprintf("%d bytes", len(p.Value)))
	writeBody(a.stdout, p.Value)
}

func keyText(key []byte) string {
	switch {
	case key == nil:
		return "none"
	case len(key) == 0:
		return "empty"
	}
	return shortText(key)
}
