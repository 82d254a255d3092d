package checker_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/retrylog"
)

func TestAFaithfulRetryLogHasNoFindings(t *testing.T) {
	t.Parallel()
	report := newParkings().check()
	require.Empty(t, report.List())
	require.Empty(t, report.ListRepeats())
	require.Equal(t, checker.Parking{Parked: 8, Runs: 10, Takeovers: 2, Dropped: 2, Void: 1, Staying: 2, Delays: 3}, report.Parking)
}

// An owner takes a newer epoch of its producer id where a connection was lost.
func TestAnOwnerMayTakeNewerEpochsOfItsProducerID(t *testing.T) {
	t.Parallel()
	p := newParkings()
	for i := p.at["b"]; i < p.at["second take"]; i++ {
		p.log[i].Producer.Epoch++
	}
	require.Empty(t, p.check().List())
}

// The owner has cut its log before the follower came so far: the PARKs of w and t, and
// START of w. What is live is copied behind the SCAN, or runs.
func TestWhatWasCutIsNotMissed(t *testing.T) {
	t.Parallel()
	p := newParkings()
	p.insert("copy", *p.record("t again"))
	again := &p.log[p.at["copy"]+1]
	again.Prev = p.record("t again").Offset
	again.Rank = again.Prev
	p.record("scan").Removed = int64(p.at["scan"] - p.at["t"])
	p.log = slices.Delete(p.log, p.at["t"], p.at["scan"])
	report := p.check()
	require.Empty(t, report.List())
	require.Equal(t, 1, report.Parking.Gaps)
	require.Equal(t, 2, report.Parking.Staying)

	p = newParkings()
	p.log = slices.Delete(p.log, p.at["t"], p.at["t"]+1)
	p.log[p.at["t"]].Removed = 1
	require.Contains(t, p.check().List(), "it is no SCAN")
}

func TestEachViolationOfParkingIsFound(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct {
		want checker.Kind
		text string // part of it, where other findings of the kind follow
		do   func(*parkings)
	}{
		"an output of a parked message is missing": {checker.Lost, "", func(p *parkings) {
			p.outputs = slices.Delete(p.outputs, p.output["b"], p.output["b"]+1)
		}},
		"a message that is to stay is not parked any more": {checker.Lost, "", func(p *parkings) { p.remove("t again") }},
		"an output is made while its key is parked": {checker.Overtaken, "", func(p *parkings) {
			p.outputs[p.output["c"]].Time = p.ms(50)
		}},
		"an output is made while its message is parked and does not run": {checker.Overtaken, "", func(p *parkings) {
			p.outputs[p.output["b"]].Time = p.ms(50)
		}},
		"an output is made after its run has failed": {checker.Overtaken, "", func(p *parkings) {
			again := *p.record("a")
			again.Attempts, again.Prev, again.Rank = 2, again.Offset, again.Offset
			p.insert("start", again)
			p.log[p.at["start"]+1].Time = p.ms(105)
		}},
		"an attempt begins before its time": {checker.Overtaken, "", func(p *parkings) { p.record("start").Time = p.ms(57) }},
		"a message is started before the one ahead of it": {checker.Overtaken, "it is started as number", func(p *parkings) {
			p.record("start").Entries = p.record("start").Entries[1:]
		}},
		"a message is ended before the one ahead of it": {checker.Overtaken, "it is ended as number", func(p *parkings) {
			p.record("done").Entries = p.record("done").Entries[1:]
		}},
		"a message runs twice at a time": {checker.Overtaken, "", func(p *parkings) { p.insert("start", *p.record("start")) }},
		"a message is parked behind a later one": {checker.Disordered, "", func(p *parkings) {
			a, b := p.record("a"), p.record("b")
			a.Entry, b.Entry, a.Key, b.Key = b.Entry, a.Entry, b.Key, a.Key
		}},
		"a parked message has another value": {checker.Misparked, "", func(p *parkings) { p.record("a").Value += " " }},
		"a parked message has other headers": {checker.Misparked, "", func(p *parkings) { p.record("b").Headers = "" }},
		"a parked message has another key":   {checker.Misparked, "", func(p *parkings) { p.record("w again").Key = []byte("k") }},
		"what is parked was never in the input": {checker.Misparked, "", func(p *parkings) {
			p.record("w").Entry.Offset = 1000
		}},
		"what is parked was in another topic":  {checker.Misparked, "", func(p *parkings) { p.record("w").Entry.Topic = [16]byte{2} }},
		"an attempt is counted that succeeded": {checker.Misparked, "attempt 2 succeeds", func(p *parkings) { p.record("a").Attempts++ }},
		"an attempt is counted twice":          {checker.Misparked, "", func(p *parkings) { p.record("h").Attempts++ }},
		"an attempt is not counted":            {checker.Misparked, "", func(p *parkings) { p.record("h").Attempts-- }},
		"a message is parked untried for nothing": {checker.Misparked, "it was parked untried", func(p *parkings) {
			r := *p.record("a")
			r.Entry, r.Attempts = p.entry("x"), 0
			r.Key, r.Value, r.Headers = []byte("other"), p.inputs[p.input["x"]].Value, p.inputs[p.input["x"]].Headers
			p.insert("first take resumes", r)
		}},
		"a message is parked untried long after its key was free": {checker.Misparked, "it was parked untried", func(p *parkings) {
			r := *p.record("a")
			r.Entry, r.Attempts, r.Value, r.Headers = p.entry("c"), 0, p.inputs[p.input["c"]].Value, p.inputs[p.input["c"]].Headers
			p.insert("done", r)
			p.log[p.at["done"]+1].Time = p.ms(31_000)
		}},
		"a message is tried too often before it is parked": {checker.Misparked, "is to be after 1 at most", func(p *parkings) {
			p.record("h first").Attempts++
		}},
		"a message is parked twice": {checker.Misparked, "", func(p *parkings) { p.insert("b", *p.record("b")) }},
		"a copy takes the place of another record": {checker.Misparked, "", func(p *parkings) {
			p.record("copy").Prev--
		}},
		"a message is copied without a clean-up":  {checker.Misparked, "", func(p *parkings) { p.record("scan").Epoch = 0 }},
		"a message fails that was not started":    {checker.Misparked, "none was started", func(p *parkings) { p.remove("start h first") }},
		"a message is started that is not parked": {checker.Misparked, "it starts what stands at", func(p *parkings) { p.remove("w again") }},
		"a message is ended that was not started": {checker.Misparked, "", func(p *parkings) { p.remove("start") }},
		"a message is ended that is not parked":   {checker.Misparked, "", func(p *parkings) { p.insert("done", *p.record("done")) }},
		"a poisoned message is called good":       {checker.Misparked, "", func(p *parkings) { p.record("done h").Outcome = retrylog.Succeeded }},
		"a message is held":                       {checker.Misparked, "", func(p *parkings) { p.record("a").Held = true }},
		"an operator's record is there": {checker.Misparked, "", func(p *parkings) {
			p.insert("done", retrylog.Record{Event: retrylog.Event{Kind: retrylog.Replay}})
		}},
		"a message is parked at the end": {checker.Misparked, "", func(p *parkings) { p.remove("done w") }},
		"a takeover names another topic": {checker.Misparked, "it names a topic", func(p *parkings) { p.record("second take resumes").Input = [16]byte{2} }},
		"a message is ended before its outputs are there": {checker.Early, "", func(p *parkings) {
			p.outputs[p.output["a"]].Time = p.ms(125)
		}},
		"a message is committed before its outputs are there": {checker.Early, "", func(p *parkings) {
			p.outputs[p.output["c"]].Time = p.ms(301)
		}},
		"a message is committed that was neither parked nor at its end": {checker.Early, "", func(p *parkings) {
			p.record("second take resumes").W = int64(len(p.inputs))
			p.remove("t")
		}},
		"the committed offset goes back": {checker.Early, "", func(p *parkings) {
			r := *p.record("second take resumes")
			r.W--
			p.insert("second take resumes", r)
		}},
		"a process that was frozen goes on in its epoch": {checker.Early, "the input is read from 0 on", func(p *parkings) {
			r := *p.record("first take resumes")
			r.Epoch = p.record("second take").Offset
			p.insert("second take resumes", r)
		}},
		"two write in one epoch":           {checker.Unfenced, "", func(p *parkings) { p.record("b").Producer.ID = 9 }},
		"an older epoch writes":            {checker.Unfenced, "", func(p *parkings) { p.record("b").Producer.Epoch-- }},
		"an owner goes back":               {checker.Unfenced, "", func(p *parkings) { p.record("first take resumes").Producer.Epoch++ }},
		"an epoch was never begun":         {checker.Unfenced, "", func(p *parkings) { p.record("t").Epoch = 1 }},
		"an epoch is begun after a record": {checker.Unfenced, "", func(p *parkings) { p.record("w").Epoch = p.record("second take").Offset }},
		"a key waits for another that waits": {checker.HeldUp, "", func(p *parkings) {
			p.outputs[p.output["y"]].Time = p.ms(32_000)
		}},
		"poison was tried too often":      {checker.Unaccounted, "", func(p *parkings) { p.poison[0].Poisoned.Attempts++ }},
		"poison has lost its own headers": {checker.Unaccounted, "", func(p *parkings) { p.poison[0].Headers = "the story" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParkings()
			v.do(p)
			report := p.check()
			require.True(t, slices.ContainsFunc(report.Findings, func(f checker.Finding) bool {
				return f.Kind == v.want && strings.Contains(f.Text, v.text)
			}), "%s", report.List())
		})
	}
}
