package main

import (
	"maps"
	"slices"
	"time"
)

// load is what a contestant is given to do.
type load struct {
	Keys       int           `json:"keys"`
	Partitions int           `json:"partitions"`
	Share      int64         `json:"share,omitempty"`  // measured on one message of so many; 0 is all
	Delay      time.Duration `json:"delay,omitempty"`  // that the filter sleeps
	Lanes      int           `json:"lanes,omitempty"`  // of ours; 0 is the default
	Commit     int           `json:"commit,omitempty"` // messages a transaction, of those that are exactly once
}

// entrant is a contestant with its load, under the name that the figures have.
type entrant struct {
	Name       string
	Contestant string
	Load       load
}

// ratio compares two entrants' messages a second, or one with a fixed rate.
type ratio struct {
	Of, To string
	Ideal  float64 // messages a second; where To is not an entrant
	Goal   float64
}

func (r ratio) name() string { return r.Of + "/" + r.To }

// benchCase is a question that is answered by measuring some entrants in turn.
type benchCase struct {
	Name     string
	Entrants []entrant
	Ratios   []ratio
}

var usual = load{Keys: 10_000, Partitions: 4}

func (l load) with(change func(*load)) load {
	change(&l)
	return l
}

var cases = map[string]benchCase{
	// How fast is a stage beside what one would write without it?
	"stage": {
		Name: "stage",
		Entrants: []entrant{
			{"stock", "stock", usual.with(func(l *load) { l.Share = 20 })},
			{"byhand", "byhand", usual},
			{"kgo", "kgo", usual},
			{"ours", "ours", usual},
		},
		Ratios: []ratio{
			{Of: "ours", To: "stock", Goal: 25},
			{Of: "ours", To: "byhand", Goal: 1.2},
			{Of: "ours", To: "kgo", Goal: 0.7},
		},
	},
	// Does it matter that all messages are of one key?
	"hotkey": {
		Name: "hotkey",
		Entrants: []entrant{
			{"many", "ours", usual},
			{"hot", "ours", usual.with(func(l *load) { l.Keys = 1 })},
		},
		Ratios: []ratio{{Of: "hot", To: "many", Goal: 0.9}},
	},
	// How well do lanes hide a filter that waits?
	"slow": {
		Name: "slow",
		Entrants: []entrant{
			{"lanes64", "ours", load{Keys: 10_000, Partitions: 1, Share: 10, Delay: 5 * time.Millisecond, Lanes: 64}},
		},
		Ratios: []ratio{{Of: "lanes64", To: "ideal", Ideal: 64 / 0.005, Goal: 0.7}},
	},
	// What do lanes cost a filter that does not need them?
	"lanesfast": {
		Name: "lanesfast",
		Entrants: []entrant{
			{"inline", "ours", usual.with(func(l *load) { l.Lanes = 1 })},
			{"lanes64", "ours", usual.with(func(l *load) { l.Lanes = 64 })},
		},
		Ratios: []ratio{{Of: "lanes64", To: "inline", Goal: 0.9}},
	},
	// What does exactly once cost, and what beside one's own transactions?
	"exactly-once": {
		Name: "exactly-once",
		Entrants: []entrant{
			{"least", "ours", usual},
			{"byhand1k", "byhand-exactly", usual.with(func(l *load) { l.Commit = 1000 })},
			{"byhand10k", "byhand-exactly", usual.with(func(l *load) { l.Commit = 10_000 })},
			{"ours", "ours-exactly", usual.with(func(l *load) { l.Commit = 10_000 })},
		},
		Ratios: []ratio{
			{Of: "ours", To: "byhand1k", Goal: 0.95},
			{Of: "ours", To: "byhand10k", Goal: 0.95},
			{Of: "ours", To: "least", Goal: 0.8},
		},
	},
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
