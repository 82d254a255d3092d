package checker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"pgregory.net/rapid"

	"github.com/penstock/penstock/internal/chaos/checker"
	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/journal"
)

// history is what a faithful run with crashes left behind.
type history struct {
	acknowledged []journal.Entry
	fed          []checker.Record
	hops         []checker.Hop
	repeats      int // that the crashes made
}

func (h *history) check() *checker.Report { return checker.Check(h.acknowledged, h.fed, h.hops) }

// drawHistory makes the producers feed some keys, and the stages work on what they
// read, crashing now and then: then they begin again somewhere before. One draw
// makes all of its choices: to draw each would take minutes.
func drawHistory(t *rapid.T) *history {
	h := &history{}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "history"), 0))
	feed := newTopic(flow.In)
	numbers := map[string]int{}
	for range rapid.IntRange(30, 200).Draw(t, "messages") {
		key := fmt.Sprintf("k%d", random.IntN(5))
		m := flow.Message{Pipe: flow.In, Key: key, Number: numbers[key]}
		numbers[key]++
		r := checker.Record{Key: key, Value: m.Value()}
		if m.Number%2 == 0 {
			r.ID = "given-" + m.Value()
		}
		stored := feed.add(r)
		if random.IntN(10) > 0 {
			h.acknowledged = append(h.acknowledged, journal.Entry{Key: key, Number: m.Number, Partition: stored.Partition, Offset: stored.Offset})
		}
	}
	h.fed = feed.sorted()
	inputs := h.fed
	for _, s := range flow.Stages(flow.Trouble{}) {
		hop := h.hop(t, random, s, inputs)
		h.hops = append(h.hops, hop)
		inputs = hop.Outputs
	}
	return h
}

func (h *history) hop(t *rapid.T, random *rand.Rand, s flow.Stage, inputs []checker.Record) checker.Hop {
	outputs, poison := newTopic(s.Name), newTopic(s.Name+".poison")
	seen := map[string]bool{}
	add := func(topic *topic, r checker.Record) {
		if seen[topic.name+r.Value] {
			h.repeats++
		}
		seen[topic.name+r.Value] = true
		topic.add(r)
	}
	for at := 0; at < len(inputs); at++ {
		in := inputs[at]
		m, err := flow.Parse([]byte(in.Value))
		if err != nil {
			t.Fatal(err)
		}
		if s.Rejects(m) {
			in.Poisoned = checker.Story{Origin: checker.Origin{Topic: in.Topic, Partition: in.Partition, Offset: in.Offset}, Reason: "rejected", Attempts: 1}
			add(poison, in)
			continue
		}
		parent := in.ID
		if parent == "" {
			parent = fmt.Sprintf("%s.%d.%d", in.Topic, in.Partition, in.Offset)
		}
		job := in.Job
		if job == "" {
			job = parent
		}
		named := parent
		if parent == job {
			named = "" // the job says it
		}
		for i, o := range s.Make(m) {
			add(outputs, checker.Record{Key: o.Key, Value: o.Value(), ID: fmt.Sprintf("%s/%s/%d", parent, s.Name, i), Parent: named, Job: job})
		}
		if random.IntN(20) == 0 {
			at -= random.IntN(min(at+1, 10) + 1)
		}
	}
	return checker.Hop{Stage: s, Inputs: inputs, Outputs: outputs.sorted(), Poison: poison.sorted()}
}

// topic gives records their places: a partition a key.
type topic struct {
	name    string
	records []checker.Record
	ends    map[int32]int64
}

func newTopic(name string) *topic { return &topic{name: name, ends: map[int32]int64{}} }

func (t *topic) add(r checker.Record) checker.Record {
	r.Topic, r.Partition = t.name, int32(r.Key[1])%3
	r.Offset = t.ends[r.Partition]
	t.ends[r.Partition]++
	t.records = append(t.records, r)
	return r
}

func (t *topic) sorted() []checker.Record {
	slices.SortStableFunc(t.records, func(a, b checker.Record) int { return int(a.Partition) - int(b.Partition) })
	return t.records
}
