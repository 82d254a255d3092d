package checker

import (
	"fmt"
	"strings"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// check collects the findings of one hop.
type check struct {
	hop      string
	findings []Finding
	repeats  []Finding
	parked   Parking
	zombies  int
}

func newCheck(hop string) *check { return &check{hop: hop} }

func (c *check) foundf(kind Kind, m flow.Message, r *Record, format string, args ...any) {
	c.findings = append(c.findings, c.finding(kind, m, r, fmt.Sprintf(format, args...)))
}

func (c *check) finding(kind Kind, m flow.Message, r *Record, text string) Finding {
	return Finding{Kind: kind, Hop: c.hop, Key: m.Key, Place: m.Place(), Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Text: text}
}

// repeated counts a message that occurs again.
func (c *check) repeated(m flow.Message, r, first *Record) {
	const clock = "15:04:05.000"
	c.repeats = append(c.repeats, c.finding(Repeated, m, r,
		fmt.Sprintf("made at %s, and first at %s (offset %d)", r.Time.UTC().Format(clock), first.Time.UTC().Format(clock), first.Offset)))
}

// parse reads the record's value, which must be a message of the pipe with the
// record's key.
func (c *check) parse(r *Record, pipe string) (m flow.Message, ok bool) {
	m, err := flow.Parse([]byte(r.Value))
	switch {
	case err != nil:
		c.foundf(Unaccounted, flow.Message{Key: r.Key}, r, "%v", err)
	case m.Pipe != pipe:
		c.foundf(Unaccounted, m, r, "it is a message of pipe %s", m.Pipe)
	case m.Key != r.Key:
		c.foundf(Unaccounted, m, r, "the record's key is %q", r.Key)
	default:
		return m, true
	}
	return m, false
}

// due is a message that has to be there, and the input that it is made of.
type due struct {
	message flow.Message
	input   *Record
}

// dues is what a stage has to make of its input.
type dues struct {
	outputs map[string][]due         // by key, in the order of the input, with its repeats
	poison  map[flow.Message]*Record // inputs that belong in the poison topic
	staying map[flow.Message]*Record // inputs that are to stay parked
	inputs  map[Origin]*Record       // by where they are stored
	keys    []string                 // of outputs, in the order of the input
}

func (c *check) dues(hop Hop) dues {
	d := dues{outputs: map[string][]due{}, poison: map[flow.Message]*Record{}, staying: map[flow.Message]*Record{}, inputs: map[Origin]*Record{}}
	for i := range hop.Inputs {
		r := &hop.Inputs[i]
		d.inputs[Origin{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}] = r
		m, err := flow.Parse([]byte(r.Value))
		if err != nil || m.Pipe != hop.Stage.Input || m.Key != r.Key {
			continue // what is wrong with it is a finding of the hop that made it
		}
		if hop.Stage.Stays(m) {
			d.staying[m] = r
			continue
		}
		if hop.Stage.Poisons(m) {
			d.poison[m] = r
			continue
		}
		if d.outputs[m.Key] == nil {
			d.keys = append(d.keys, m.Key)
		}
		for _, made := range hop.Stage.Make(m) {
			d.outputs[m.Key] = append(d.outputs[m.Key], due{message: made, input: r})
		}
	}
	return d
}

// checkHop tests one stage.
func checkHop(hop Hop) *check {
	c := newCheck(hop.Stage.Name)
	d := c.dues(hop)

	z := findZombies(&hop)
	byKey := map[string][]occurrence{}
	ids := newIDs(c)
	for i := range hop.Outputs {
		r := &hop.Outputs[i]
		m, ok := c.parse(r, hop.Stage.Name)
		if !ok {
			continue
		}
		ids.see(m, r)
		byKey[m.Key] = append(byKey[m.Key], occurrence{message: m, record: r})
	}
	for _, key := range d.keys {
		z.sequence(c, d.outputs[key], byKey[key])
		delete(byKey, key)
	}
	for _, occurrences := range byKey {
		for _, o := range occurrences {
			c.foundf(Unaccounted, o.message, o.record, "no input makes anything of its key")
		}
	}
	c.poison(hop, d)
	if hop.Stage.Parking() {
		c.parking(hop, d, z)
	}
	return c
}

// poison tests the poison topic.
func (c *check) poison(hop Hop, d dues) {
	first := map[flow.Message]*Record{}
	for i := range hop.Poison {
		r := &hop.Poison[i]
		m, ok := c.parse(r, hop.Stage.Input)
		if !ok {
			continue
		}
		if d.poison[m] == nil {
			c.foundf(Unaccounted, m, r, "nothing is wrong with it, and it was poisoned: %s", r.Poisoned.Reason)
			continue
		}
		where := r.Poisoned.Origin
		if input := d.inputs[where]; input == nil || input.Key != r.Key || input.Value != r.Value || !strings.HasPrefix(r.Headers, input.Headers) {
			c.foundf(Unaccounted, m, r, "it is not what stands at %s/%d@%d, where it says that it was read", where.Topic, where.Partition, where.Offset)
		}
		if want := hop.Stage.Tries(m); hop.Stage.Parking() && r.Poisoned.Attempts != want {
			c.foundf(Unaccounted, m, r, "it was poisoned after %d attempts, and should have been after %d", r.Poisoned.Attempts, want)
		}
		if first[m] != nil {
			c.repeated(m, r, first[m])
			continue
		}
		first[m] = r
	}
	for m, input := range d.poison {
		if first[m] == nil {
			c.foundf(Lost, m, input, "it is not in the poison topic, where it belongs")
		}
	}
}
