package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Kind is the rule that a finding breaks.
type Kind string

// The kinds of findings.
const (
	// Lost is a message that was acknowledged, and one of its outputs, or its
	// poison record, is not there.
	Lost Kind = "lost"
	// Disordered is a message that first occurs behind a later one of its key, or
	// in another partition than the others of its key.
	Disordered Kind = "disordered"
	// NoRewind is a repeat after which the messages behind it do not all come
	// again up to where the key was.
	NoRewind Kind = "no rewind"
	// WrongID is a message with another id, parent or job than it must have: that
	// of its first occurrence above all.
	WrongID Kind = "wrong id"
	// Repeated is a message that occurs again.
	Repeated Kind = "repeated"
	// Unaccounted is a record that nothing accounts for: no input that has to make
	// it, or no reason to poison it.
	Unaccounted Kind = "unaccounted"

	// Overtaken is an attempt at a message, or what came of one, while the message
	// waits, or another of its key that stands before it.
	Overtaken Kind = "overtaken"
	// Misparked is a record of a retry log that nothing accounts for, or that is not
	// what the log and the stage's input make it.
	Misparked Kind = "misparked"
	// Unfenced is a record of a retry log of somebody who was not its owner.
	Unfenced Kind = "unfenced"
	// Early is an input that was committed, or a parked message that was ended,
	// before it was at its end.
	Early Kind = "early"
	// HeldUp is a message that took too long while another key waited.
	HeldUp Kind = "held up"
)

// Finding is one violation of a guarantee.
type Finding struct {
	Kind  Kind
	Hop   string // the stage, or the pipe that the producers feed
	Key   string
	Place flow.Place

	// The record that shows it. Of a lost message it is the last one that is there:
	// its input.
	Topic     string
	Partition int32
	Offset    int64

	Text string
}

// String is one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: hop %s, key %s, message %s (%s/%d@%d): %s",
		f.Kind, f.Hop, f.Key, f.Place, f.Topic, f.Partition, f.Offset, f.Text)
}

// Report is what the checker found.
type Report struct {
	Messages int // what the producers saw acknowledged
	Findings []Finding
	Repeats  []Finding // what occurs again, which is no violation by itself
	Parking  Parking
	Zombies  int // records that a worker stored which had been stopped, behind those of the worker in its place

	// Traces tell, of each hop with findings, what became of the key of the first.
	Traces []string
}

// RepeatsByHop counts what occurs again.
func (r *Report) RepeatsByHop() map[string]int {
	count := map[string]int{}
	for i := range r.Repeats {
		count[r.Repeats[i].Hop]++
	}
	return count
}

// Count is the number of findings of these kinds.
func (r *Report) Count(kinds ...Kind) (n int) {
	for i := range r.Findings {
		if slices.Contains(kinds, r.Findings[i].Kind) {
			n++
		}
	}
	return n
}

// listed is how many findings of a kind are listed.
const listed = 20

// List writes the findings, a line each, and of many of one kind only the first.
func (r *Report) List() string { return list(r.Findings) }

// ListRepeats writes what occurs again, as List does.
func (r *Report) ListRepeats() string { return list(r.Repeats) }

func list(findings []Finding) string {
	var b strings.Builder
	for _, kind := range []Kind{
		Lost, Early, Disordered, NoRewind, Overtaken, WrongID, Unaccounted, Misparked, Unfenced, HeldUp, Repeated,
	} {
		n := 0
		for i := range findings {
			if findings[i].Kind != kind {
				continue
			}
			n++
			if n <= listed {
				fmt.Fprintln(&b, findings[i])
			}
		}
		if n > listed {
			fmt.Fprintf(&b, "%s: and %d more\n", kind, n-listed)
		}
	}
	return b.String()
}

// Totals are the report's numbers as the last line of a chaos run has them.
func (r *Report) Totals() string {
	return fmt.Sprintf("messages=%d lost=%d repeated=%d disordered=%d unaccounted=%d zombie=%d",
		r.Messages, r.Count(Lost, Early), len(r.Repeats), r.Count(Disordered, NoRewind, Overtaken), r.Count(Unaccounted, WrongID, Misparked, Unfenced, HeldUp), r.Zombies)
}
