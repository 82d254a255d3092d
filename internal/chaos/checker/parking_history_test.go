package checker_test

import (
	"slices"
	"time"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
)

// deadline is what the made history allows messages while a key waits.
const deadline = 30 * time.Second

// parkings is what a faithful stage that parks left behind: its topics, and the names
// that the test gives to what stands there.
type parkings struct {
	stage   flow.Stage
	begun   time.Time
	inputs  []checker.Record
	outputs []checker.Record
	poison  []checker.Record
	log     []retrylog.Record

	input  map[string]int // offsets, by the name of a message
	output map[string]int // places in outputs, by the name of the message
	at     map[string]int // places in log, by the name of the record
	writer retrylog.Producer
	epoch  int64
}

func (p *parkings) check() *checker.Report {
	hop := checker.Hop{
		Stage: p.stage, Inputs: p.inputs, Outputs: p.outputs, Poison: p.poison,
		Log: p.log, InputID: [16]byte{1}, Deadline: deadline,
	}
	return checker.Check(nil, nil, []checker.Hop{hop})
}

// newParkings makes the history. Message a fails once, and b comes while it is
// parked; c comes when both are through. x and y are of other keys. h fails until it
// is poisoned. s stays parked, and behind it t. w waits for long; a takeover has it
// parked anew. Times are milliseconds.
func newParkings() *parkings {
	p := &parkings{
		stage: flow.Stages(flow.Trouble{Chance: 7, Slow: true})[0], begun: time.UnixMilli(1_000_000_000_000).UTC(),
		input: map[string]int{}, output: map[string]int{}, at: map[string]int{},
	}
	tries := func(key string, from, want int) flow.Message {
		for n := from; ; n++ {
			m := flow.Message{Pipe: flow.In, Key: key, Number: n}
			if p.stage.Tries(m) == want && !p.stage.Poisons(m) && n%10 != 0 {
				return m
			}
		}
	}
	a := tries("k", 0, 2)
	b := tries("k", a.Number+1, 1)
	p.feed("a", a, 0)
	p.feed("b", b, 1)
	p.feed("c", tries("k", b.Number+1, 1), 90)
	p.feed("x", tries("other", 0, 1), 2)
	p.feed("h", flow.Message{Pipe: flow.In, Key: "k2", Number: 37}, 3)
	p.feed("s", flow.Message{Pipe: flow.In, Key: flow.Key(0), Number: 12}, 4)
	p.feed("t", flow.Message{Pipe: flow.In, Key: flow.Key(0), Number: 13}, 5)
	p.feed("w", flow.Message{Pipe: flow.In, Key: flow.Key(1), Number: 5}, 6)
	p.feed("y", tries("other", 100, 1), 1000)

	p.take("first take", 0, 0)
	p.make("x", 20)
	p.park("a", "a", 30, -1, 1, 60)
	p.park("b", "b", 31, -1, 0, 0)
	p.run("start", 100, "a", "b")
	p.make("a", 110)
	p.make("b", 110)
	p.done("done", 120, retrylog.Succeeded, "a", "b")
	p.make("c", 130)
	p.hopeless(140)
	p.park("s", "s", 200, -1, 1, 24*3600*1000)
	p.park("t", "t", 201, -1, 0, 0)
	p.park("w", "w", 202, -1, 1, 45_000)
	p.take("second take", 300, int64(p.input["t"]))
	p.park("t again", "t", 310, -1, 0, 0)
	p.park("w again", "w", 320, -1, 1, 45_320)
	p.make("y", 1010)
	p.log = append(p.log, retrylog.Record{Event: retrylog.Event{Kind: retrylog.Scan, Epoch: p.epoch}})
	p.stamp("scan", 5000)
	p.park("copy", "s", 5001, int64(p.at["s"]), 1, 24*3600*1000)
	p.run("start w", 45_321, "w")
	p.make("w", 45_330)
	p.done("done w", 45_340, retrylog.Succeeded, "w")
	p.log = append(p.log, retrylog.Record{Event: retrylog.Event{Kind: retrylog.Done, Epoch: 0, Outcome: retrylog.Succeeded, Entries: []retrylog.Entry{p.entry("s")}}})
	p.stamp("void", 45_350)
	p.log[p.at["void"]].Producer = retrylog.Producer{}
	return p
}

// hopeless has h fail until it is poisoned.
func (p *parkings) hopeless(ms int) {
	tries := p.stage.Tries(flow.Message{Pipe: flow.In, Key: "k2", Number: 37})
	prev := int64(-1)
	for attempt := 1; attempt < tries; attempt++ {
		p.park("h", "h", ms+attempt, prev, attempt, 0)
		prev = int64(p.at["h"])
		p.run("start h", ms+attempt, "h")
		if attempt == 1 {
			p.at["h first"], p.at["start h first"] = p.at["h"], p.at["start h"]
		}
	}
	in := p.inputs[p.input["h"]]
	in.Headers += "the story"
	in.Poisoned = checker.Story{Origin: checker.Origin{Topic: in.Topic, Offset: in.Offset}, Reason: "it fails", Attempts: tries}
	in.Topic, in.Offset, in.Time = "poison", 0, p.ms(ms+tries)
	p.poison = append(p.poison, in)
	p.done("done h", ms+tries, retrylog.Poisoned, "h")
}

func (p *parkings) ms(n int) time.Time { return p.begun.Add(time.Duration(n) * time.Millisecond) }

func (p *parkings) entry(name string) retrylog.Entry {
	return retrylog.Entry{Topic: [16]byte{1}, Offset: int64(p.input[name])}
}

func (p *parkings) feed(name string, m flow.Message, ms int) {
	p.input[name] = len(p.inputs)
	p.inputs = append(p.inputs, checker.Record{
		Topic: flow.In, Offset: int64(len(p.inputs)), Key: m.Key, Value: m.Value(), Time: p.ms(ms),
		ID: "id-" + m.Value(), Headers: "headers of " + name,
	})
}

func (p *parkings) make(name string, ms int) {
	in := p.inputs[p.input[name]]
	m, err := flow.Parse([]byte(in.Value))
	if err != nil {
		panic(err)
	}
	p.output[name] = len(p.outputs)
	o := p.stage.Make(m)[0]
	p.outputs = append(p.outputs, checker.Record{
		Topic: p.stage.Name, Offset: int64(len(p.outputs)), Key: o.Key, Value: o.Value(), Time: p.ms(ms),
		ID: "made of " + in.ID, Job: in.ID,
	})
}

// stamp completes the last record of the log.
func (p *parkings) stamp(name string, ms int) {
	last := len(p.log) - 1
	p.at[name] = last
	r := &p.log[last]
	r.Topic, r.Offset, r.Time, r.Producer = "retry", int64(last), p.ms(ms), p.writer
}

func (p *parkings) take(name string, ms int, w int64) {
	p.epoch = int64(len(p.log))
	p.writer = retrylog.Producer{ID: p.epoch, Epoch: 3}
	p.log = append(p.log, retrylog.Record{Event: retrylog.Event{Kind: retrylog.Take}})
	p.stamp(name, ms)
	p.log = append(p.log, retrylog.Record{Event: retrylog.Event{Kind: retrylog.Resume, Epoch: p.epoch, Input: [16]byte{1}, W: w}})
	p.stamp(name+" resumes", ms)
}

func (p *parkings) park(name, message string, ms int, prev int64, attempts, until int) {
	in := p.inputs[p.input[message]]
	parked := retrylog.Parked{Entry: p.entry(message), Rank: prev, Prev: prev, Attempts: attempts}
	if until > 0 {
		parked.NotBefore = p.ms(until)
	}
	p.log = append(p.log, retrylog.Record{
		Key: []byte(in.Key), Value: in.Value, Headers: in.Headers,
		Event: retrylog.Event{Kind: retrylog.Park, Epoch: p.epoch, Parked: parked},
	})
	p.stamp(name, ms)
}

func (p *parkings) run(name string, ms int, messages ...string) {
	p.log = append(p.log, retrylog.Record{Event: retrylog.Event{Kind: retrylog.Start, Epoch: p.epoch, Entries: p.entries(messages)}})
	p.stamp(name, ms)
}

func (p *parkings) done(name string, ms int, outcome retrylog.Outcome, messages ...string) {
	p.log = append(p.log, retrylog.Record{Event: retrylog.Event{Kind: retrylog.Done, Epoch: p.epoch, Outcome: outcome, Entries: p.entries(messages)}})
	p.stamp(name, ms)
}

func (p *parkings) entries(messages []string) (entries []retrylog.Entry) {
	for _, m := range messages {
		entries = append(entries, p.entry(m))
	}
	return entries
}

// record is a record of the log.
func (p *parkings) record(name string) *retrylog.Record { return &p.log[p.at[name]] }

// remove makes a record of the log one that says nothing, in the same place.
func (p *parkings) remove(name string) {
	r := p.record(name)
	r.Event = retrylog.Event{Kind: retrylog.Scan, Epoch: r.Epoch}
}

// insert adds a copy of a record behind another. What lies behind moves on, and the
// offsets that records name with it.
func (p *parkings) insert(behind string, r retrylog.Record) {
	at := int64(p.at[behind])
	move := func(n *int64) {
		if *n > at {
			*n++
		}
	}
	r.Topic, r.Offset, r.Time = "retry", at, p.record(behind).Time
	p.log = slices.Insert(p.log, int(at)+1, r)
	for i := range p.log {
		e := &p.log[i]
		if i > int(at) {
			e.Offset++
		}
		move(&e.Epoch)
		move(&e.Prev)
	}
	for name, i := range p.at {
		if int64(i) > at {
			p.at[name]++
		}
	}
}
