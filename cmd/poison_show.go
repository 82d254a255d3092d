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
		Long: `Show prints a poisoned message: its story, its headers, and its value as text or,
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
		p, err := a.findPoison(ctx, f.connection, args[0], at)
		if err != nil {
			return err
		}
		switch {
		case f.value != "":
			return a.writeValue(p, f.value)
		case f.json:
			a.stdout.document(wholeDocument(at, p))
		default:
			a.printPoisoned(at, p)
		}
		return nil
	})
	return a.buildsPipelines(c)
}

// errFound ends the read of a topic.
var errFound = errors.New("found")

// findPoison reads the message at a position.
func (a *app) findPoison(ctx context.Context, c *connection, stage string, at position) (found *router.Poisoned, err error) {
	err = a.withPoison(ctx, c, stage, func(cl *cluster, topics []poisonTopic) error {
		topic := topics[0].topic
		_, err := readPoison(ctx, cl.kafka, topic, func(p position, message *router.Poisoned) error {
			if p == at {
				found = message
				return errFound
			}
			return nil
		})
		if err == nil {
			err = fmt.Errorf("there is no poisoned message at position %s of topic %s: \"poison ls\" lists those that there are", at, topic)
		}
		return err
	})
	if errors.Is(err, errFound) {
		return found, nil
	}
	return nil, err
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

	Headers []headerDocument `json:"headers"`
	Value   []byte           `json:"value"` // null: a tombstone
}

type headerDocument struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

func wholeDocument(at position, p *router.Poisoned) poisonWhole {
	d := poisonWhole{poisonDocument: document(at, p), Headers: []headerDocument{}, Value: p.Value}
	for _, h := range p.Headers {
		d.Headers = append(d.Headers, headerDocument{string(h.Key), h.Value})
	}
	return d
}

func (a *app) printPoisoned(at position, p *router.Poisoned) {
	field := func(name, value string) { fmt.Fprintf(a.stdout, "%-13s %s\n", name, value) }
	field("stage", cellText(p.Stage))
	field("position", at.String())
	field("poisoned", p.At.Local().Format(time.RFC3339))
	field("attempts", number(int64(p.Attempts)))
	field("reason", cellText(p.LastError))
	if p.FirstError != p.LastError {
		field("first error", cellText(p.FirstError))
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
