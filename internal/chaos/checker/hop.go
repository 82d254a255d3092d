package checker

import (
	"fmt"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// check collects the findings of one hop.
type check struct {
	hop      string
	findings []Finding
}

func newCheck(hop string) *check { return &check{hop: hop} }

func (c *check) found(kind Kind, m flow.Message, r *Record, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Kind: kind, Hop: c.hop, Key: m.Key, Place: m.Place(),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset,
		Text: fmt.Sprintf(format, args...),
	})
}

// parse reads the record's value, which must be a message of the pipe with the
// record's key.
func (c *check) parse(r *Record, pipe string) (m flow.Message, ok bool) {
	m, err := flow.Parse([]byte(r.Value))
	switch {
	case err != nil:
		c.found(Unaccounted, flow.Message{Key: r.Key}, r, "%v", err)
	case m.Pipe != pipe:
		c.found(Unaccounted, m, r, "it is a message of pipe %s", m.Pipe)
	case m.Key != r.Key:
		c.found(Unaccounted, m, r, "the record's key is %q", r.Key)
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
	inputs  map[Origin]*Record       // by where they are stored, without a reason
	keys    []string                 // of outputs, in the order of the input
}

func (c *check) dues(hop Hop) dues {
	d := dues{outputs: map[string][]due{}, poison: map[flow.Message]*Record{}, inputs: map[Origin]*Record{}}
	for i := range hop.Inputs {
		r := &hop.Inputs[i]
		d.inputs[Origin{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}] = r
		m, err := flow.Parse([]byte(r.Value))
		if err != nil || m.Pipe != hop.Stage.Input || m.Key != r.Key {
			continue // what is wrong with it is a finding of the hop that made it
		}
		if hop.Stage.Rejects(m) {
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

// checkHop tests one stage, and counts what occurs again.
func checkHop(hop Hop) (findings []Finding, repeats int) {
	c := newCheck(hop.Stage.Name)
	d := c.dues(hop)

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
		repeats += c.sequence(d.outputs[key], byKey[key])
		delete(byKey, key)
	}
	for _, occurrences := range byKey {
		for _, o := range occurrences {
			c.found(Unaccounted, o.message, o.record, "no input makes anything of its key")
		}
	}
	return c.findings, repeats + c.poison(hop, d)
}

// poison tests the poison topic, and counts what occurs in it again.
func (c *check) poison(hop Hop, d dues) (repeats int) {
	seen := map[flow.Message]bool{}
	for i := range hop.Poison {
		r := &hop.Poison[i]
		m, ok := c.parse(r, hop.Stage.Input)
		if !ok {
			continue
		}
		if d.poison[m] == nil {
			c.found(Unaccounted, m, r, "nothing is wrong with it, and it was poisoned: %s", r.Poisoned.Reason)
			continue
		}
		where := r.Poisoned
		where.Reason = ""
		if input := d.inputs[where]; input == nil || input.Key != r.Key || input.Value != r.Value || input.ID != r.ID {
			c.found(Unaccounted, m, r, "it is not what stands at %s/%d@%d, where it says that it was read", where.Topic, where.Partition, where.Offset)
		}
		if seen[m] {
			repeats++
		}
		seen[m] = true
	}
	for m, input := range d.poison {
		if !seen[m] {
			c.found(Lost, m, input, "it is not in the poison topic, where it belongs")
		}
	}
	return repeats
}
