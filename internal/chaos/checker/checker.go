// Package checker tests what a chaos run left behind: whether what the producers
// saw acknowledged went through every stage as Penstock promises. It looks at the
// topics alone and shares no code with what moves the messages.
//
// At each hop it tests:
//
//   - loss: every input has all its outputs, or its poison record;
//   - order: first occurrences of a key are in the order of its inputs;
//   - rewinds: after a message of a key comes at most the one that follows it in
//     the input, and the last one is the last of the input;
//   - ids: a message has one id, parent and job wherever it occurs, and one id is
//     one message;
//   - accounts: there is nothing that no input accounts for.
//
// Where a stage parks, the outputs are not enough: its retry log is read too, by a
// decoder and a fold of this test's own. What is tested then stands at the function
// parking.
//
// Each hop is compared with what its input topic really holds, so that a finding
// stands at the stage that is to blame for it.
package checker

import (
	"fmt"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
)

// Check tests the flow of a run: what the producers saw acknowledged, what the
// pipe that they feed holds, and the hops.
func Check(acknowledged []journal.Entry, fed []Record, hops []Hop) *Report {
	report := &Report{Messages: len(acknowledged)}
	report.Findings = checkFed(acknowledged, fed)
	for _, hop := range hops {
		c := checkHop(hop)
		report.Findings = append(report.Findings, c.findings...)
		if len(c.findings) > 0 {
			first := &c.findings[0]
			report.Traces = append(report.Traces, fmt.Sprintf("stage %s, key %s:\n%s", first.Hop, first.Key, hop.Trace(first.Key)))
		}
		report.Repeats = append(report.Repeats, c.repeats...)
		report.Zombies += c.zombies
		report.Parking = report.Parking.plus(c.parked)
	}
	return report
}

// checkFed tests that what was acknowledged is where it is said to be, and that
// the keys are in order from the start. What was not acknowledged may be there.
func checkFed(acknowledged []journal.Entry, fed []Record) []Finding {
	c := newCheck(flow.In)
	stored := make(map[place]flow.Message, len(fed))
	next := map[string]int{} // the number behind the last one of a key
	for i := range fed {
		r := &fed[i]
		m, ok := c.parse(r, flow.In)
		if !ok {
			continue
		}
		stored[place{r.Partition, r.Offset}] = m
		if m.Number < next[m.Key] {
			c.foundf(Disordered, m, r, "it comes when number %d is due", next[m.Key])
		}
		next[m.Key] = m.Number + 1
	}
	for _, e := range acknowledged {
		want := flow.Message{Pipe: flow.In, Key: e.Key, Number: e.Number}
		if stored[place{e.Partition, e.Offset}] != want {
			c.foundf(Lost, want, &Record{Topic: flow.In, Partition: e.Partition, Offset: e.Offset}, "it was acknowledged, and is not in the topic")
		}
	}
	return c.findings
}
