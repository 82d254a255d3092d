package checker_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
)

func TestAFaithfulHistoryHasNoFindings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		report := h.check()
		require.Empty(t, report.List())
		require.Len(t, report.Repeats, h.repeats)
		require.Equal(t, len(h.acknowledged), report.Messages)
	})
}

// violations are what is done to a faithful history, each by the kind of the
// finding that has to tell of it. A violation returns the key that it hit, or
// "" where the history has no place for it.
var violations = []struct {
	name string
	want checker.Kind
	do   func(*rapid.T, *history) string
}{
	{"an acknowledged input is not there", checker.Lost, func(t *rapid.T, h *history) string {
		if len(h.acknowledged) == 0 {
			return ""
		}
		gone := rapid.SampledFrom(h.acknowledged).Draw(t, "gone")
		h.fed = slices.DeleteFunc(slices.Clone(h.fed), func(r checker.Record) bool {
			return r.Partition == gone.Partition && r.Offset == gone.Offset
		})
		return gone.Key
	}},
	{"an output is not there", checker.Lost, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		gone := rapid.SampledFrom(hop.Outputs).Draw(t, "gone")
		hop.Outputs = without(hop.Outputs, gone.Value)
		return gone.Key
	}},
	{"a poison record is not there", checker.Lost, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		if len(hop.Poison) == 0 {
			return ""
		}
		gone := rapid.SampledFrom(hop.Poison).Draw(t, "gone")
		hop.Poison = without(hop.Poison, gone.Value)
		return gone.Key
	}},
	{"two first occurrences change places", checker.Disordered, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		b := nextOfKey(hop.Outputs, a)
		if b < 0 || occurs(hop.Outputs, hop.Outputs[a].Value) > 1 || occurs(hop.Outputs, hop.Outputs[b].Value) > 1 {
			return ""
		}
		hop.Outputs[a], hop.Outputs[b] = hop.Outputs[b], hop.Outputs[a]
		return hop.Outputs[a].Key
	}},
	{"a key has two partitions", checker.Disordered, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		if nextOfKey(hop.Outputs, a) < 0 {
			return ""
		}
		moved := hop.Outputs[a]
		hop.Outputs = slices.Delete(hop.Outputs, a, a+1)
		moved.Partition = 7
		hop.Outputs = append(hop.Outputs, moved)
		return moved.Key
	}},
	{"a repeat comes alone", checker.NoRewind, func(t *rapid.T, h *history) string {
		hop := &h.hops[0] // its input has no repeats
		hop.Outputs = slices.Clone(hop.Outputs)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		b := nextOfKey(hop.Outputs, a)
		if b < 0 || place(hop.Outputs[b]) <= place(hop.Outputs[a]) {
			return ""
		}
		if after := nextOfKey(hop.Outputs, b); after >= 0 && place(hop.Outputs[after]) <= place(hop.Outputs[b]) {
			return "" // a rewind follows, and the repeat is part of it
		}
		hop.Outputs = slices.Insert(hop.Outputs, b+1, hop.Outputs[a])
		return hop.Outputs[a].Key
	}},
	{"a rewind does not come back", checker.NoRewind, func(_ *rapid.T, h *history) string {
		hop := &h.hops[0]
		hop.Outputs = slices.Clone(hop.Outputs)
		again := hop.Outputs[0]
		if occurs(hop.Outputs, hop.Outputs[0].Value) > 1 || nextOfKey(hop.Outputs, 0) < 0 {
			return ""
		}
		last := 0
		for i := range hop.Outputs {
			if hop.Outputs[i].Key == again.Key {
				last = i
			}
		}
		hop.Outputs = slices.Insert(hop.Outputs, last+1, again)
		return again.Key
	}},
	{"a repeat has another id", checker.WrongID, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		again := hop.Outputs[a]
		again.ID += "-other"
		hop.Outputs = slices.Insert(hop.Outputs, a+1, again)
		return again.Key
	}},
	{"two messages have one id", checker.WrongID, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(1, len(hop.Outputs)-1).Draw(t, "record")
		if hop.Outputs[a].Value == hop.Outputs[a-1].Value {
			return ""
		}
		hop.Outputs[a].ID = hop.Outputs[a-1].ID
		return hop.Outputs[a].Key
	}},
	{"an output has another parent", checker.WrongID, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		hop.Outputs[a].Parent += "-other"
		return hop.Outputs[a].Key
	}},
	{"an output of the second hop does not name its parent", checker.WrongID, func(t *rapid.T, h *history) string {
		hop := &h.hops[1]
		hop.Outputs = slices.Clone(hop.Outputs)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		hop.Outputs[a].Parent = ""
		return hop.Outputs[a].Key
	}},
	{"an output belongs to another job", checker.WrongID, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		hop.Outputs[a].Job += "-other"
		return hop.Outputs[a].Key
	}},
	{"an output was never put in", checker.Unaccounted, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		m := flow.Message{Pipe: hop.Stage.Name, Key: "k0", Number: 100_000}
		hop.Outputs = append(hop.Outputs, checker.Record{Topic: hop.Stage.Name, Key: m.Key, Value: m.Value(), ID: "x", Parent: "x", Job: "x"})
		return m.Key
	}},
	{"an output has another key", checker.Unaccounted, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		a := rapid.IntRange(0, len(hop.Outputs)-1).Draw(t, "record")
		hop.Outputs[a].Key = "k9"
		return hop.Outputs[a].Value[len(hop.Stage.Name)+1:][:2]
	}},
	{"a good message is poisoned", checker.Unaccounted, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		hop.Poison = append(hop.Poison, hop.Inputs[0]) // the first of its key
		return hop.Inputs[0].Key
	}},
	{"a poison record is not what was read", checker.Unaccounted, func(t *rapid.T, h *history) string {
		hop := drawHopOf(t, h)
		if len(hop.Poison) == 0 {
			return ""
		}
		hop.Poison[0].Poisoned.Offset += 1000
		return hop.Poison[0].Key
	}},
}

func TestEachViolationIsFound(t *testing.T) {
	t.Parallel()
	for _, v := range violations {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				h := drawHistory(t)
				key := v.do(t, h)
				if key == "" {
					t.Skip("the history has no place for it")
				}
				report := h.check()
				require.True(t, slices.ContainsFunc(report.Findings, func(f checker.Finding) bool {
					return f.Kind == v.want && f.Key == key
				}), "%s", report.List())
			})
		})
	}
}

func TestTheListIsBounded(t *testing.T) {
	t.Parallel()
	report := &checker.Report{}
	for i := range 1000 {
		report.Findings = append(report.Findings, checker.Finding{Kind: checker.Lost, Key: "a", Place: flow.Place{Number: i}})
	}
	require.Contains(t, report.List(), "lost: and 980 more")
	require.Equal(t, "messages=0 lost=1000 repeated=0 disordered=0 unaccounted=0 zombie=0", report.Totals())
}

func drawHopOf(t *rapid.T, h *history) *checker.Hop {
	hop := &h.hops[rapid.IntRange(0, len(h.hops)-1).Draw(t, "hop")]
	hop.Outputs = slices.Clone(hop.Outputs) // the next hop's input stays as it is
	return hop
}

// place numbers the messages of a key.
func place(r checker.Record) int {
	m, err := flow.Parse([]byte(r.Value))
	if err != nil {
		panic(err)
	}
	return 2*m.Number + m.Part
}

func without(records []checker.Record, value string) []checker.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r checker.Record) bool { return r.Value == value })
}

// nextOfKey returns the place of the next record of the key, or -1.
func nextOfKey(records []checker.Record, at int) int {
	for i := at + 1; i < len(records); i++ {
		if records[i].Key == records[at].Key {
			return i
		}
	}
	return -1
}

func occurs(records []checker.Record, value string) (n int) {
	for i := range records {
		if records[i].Value == value {
			n++
		}
	}
	return n
}
