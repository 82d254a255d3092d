package checker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
)

// What a worker stored that had been frozen, behind what its successor stored, counts
// apart. What it did before and after counts as ever, and so does the only record of a
// message.
func TestWhatAZombieStoresCountsApart(t *testing.T) {
	t.Parallel()
	begun := time.UnixMilli(1_000_000_000_000)
	at := func(second int) time.Time { return begun.Add(time.Duration(second) * time.Second) }
	freeze := checker.Freeze{Writer: "a", From: at(10), To: at(20), Grace: 2 * time.Second}
	for name, v := range map[string]struct {
		late    func(*checker.Record)
		freezes []checker.Freeze
		zombies int
		found   checker.Kind
	}{
		"it was on its way when the worker was frozen": {func(r *checker.Record) { r.Time = at(9) }, []checker.Freeze{freeze}, 1, ""},
		"it was made soon after":                       {func(r *checker.Record) { r.Time = at(21) }, []checker.Freeze{freeze}, 1, ""},
		"it was made much later":                       {func(r *checker.Record) { r.Time = at(23) }, []checker.Freeze{freeze}, 0, checker.NoRewind},
		"another worker stored it":                     {func(r *checker.Record) { r.Writer = "b" }, []checker.Freeze{freeze}, 0, checker.NoRewind},
		"nobody was frozen":                            {func(*checker.Record) {}, nil, 0, checker.NoRewind},
		"it is the only one of its message":            {func(r *checker.Record) { r.Value = flow.Message{Pipe: flow.Second, Key: "k0", Number: 7}.Value() }, []checker.Freeze{freeze}, 0, checker.Unaccounted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hop := checker.Hop{Stage: flow.Stages(flow.Trouble{})[1], Freezes: v.freezes}
			inputs, outputs := newTopic(flow.First), newTopic(flow.Second)
			for n := range 4 {
				in := inputs.add(checker.Record{Key: "k0", Value: flow.Message{Pipe: flow.First, Key: "k0", Number: n}.Value(), ID: fmt.Sprint("id", n), Job: "job"})
				out := checker.Record{Key: "k0", Value: flow.Message{Pipe: flow.Second, Key: "k0", Number: n}.Value(), ID: in.ID + "/second", Parent: in.ID, Job: "job", Writer: "a", Time: at(n)}
				if n >= 2 {
					out.Writer, out.Time = "b", at(12+n)
				}
				outputs.add(out)
			}
			late := outputs.records[1]
			v.late(&late)
			outputs.add(late)
			hop.Inputs, hop.Outputs = inputs.records, outputs.records

			report := checker.Check(nil, nil, []checker.Hop{hop})
			require.Equal(t, v.zombies, report.Zombies)
			if v.found == "" {
				require.Empty(t, report.List())
				return
			}
			require.Positive(t, report.Count(v.found), "%s", report.List())
		})
	}
}

// Where all that a frozen worker stored fits in, nothing of it is left out: the input
// repeats a message, and its second output is another's.
func TestWhatAZombieStoresMayFitIn(t *testing.T) {
	t.Parallel()
	begun := time.UnixMilli(1_000_000_000_000)
	inputs, outputs := newTopic(flow.First), newTopic(flow.Second)
	add := func(key string, n int, writer string, in bool) {
		m := flow.Message{Pipe: flow.First, Key: key, Number: n}
		r := checker.Record{Key: key, Value: m.Value(), ID: fmt.Sprint(key, n), Job: "job"}
		if in {
			inputs.add(r)
		}
		if writer != "" {
			m.Pipe = flow.Second
			outputs.add(checker.Record{Key: key, Value: m.Value(), ID: r.ID + "/second", Parent: r.ID, Job: "job", Writer: writer, Time: begun.Add(time.Second)})
		}
	}
	add("k3", 0, "b", true) // of the same partition
	add("k0", 0, "a", true)
	add("k0", 1, "a", true)
	add("k0", 1, "b", true)
	add("k0", 2, "b", true)
	hop := checker.Hop{
		Stage: flow.Stages(flow.Trouble{})[1], Inputs: inputs.records, Outputs: outputs.records,
		Freezes: []checker.Freeze{{Writer: "a", From: begun, To: begun.Add(time.Minute)}},
	}
	report := checker.Check(nil, nil, []checker.Hop{hop})
	require.Empty(t, report.List())
	require.Len(t, report.Repeats, 1)
	require.Zero(t, report.Zombies)
}
