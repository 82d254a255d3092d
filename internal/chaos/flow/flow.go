// Package flow says what runs through the pipeline of a chaos run: the messages,
// and what each of its three stages has to make of them. The load generator, the
// workers and the checker agree on nothing else.
//
//	in ──▶ first ──▶ second ──▶ third
//
// Stage first makes two messages of every tenth one, the others are passed on. Each
// stage rejects some messages, so that they belong in its poison topic.
package flow

import (
	"fmt"
	"strconv"
	"strings"
)

// The pipes. A stage has the name of the pipe that it makes.
const (
	In     = "in"
	First  = "first"
	Second = "second"
	Third  = "third"
)

// Partitions is how many partitions each pipe has.
const Partitions = 6

// PoisonPartitions is how many partitions a poison topic has.
const PoisonPartitions = 1

// Message is a message of a pipe.
type Message struct {
	Pipe   string
	Key    string
	Number int // counts the messages of a key, from 0
	Part   int // tells the messages apart that stage first makes of one
}

// Value is the message's value, which tells all of it.
func (m Message) Value() string {
	return m.Pipe + " " + m.Key + " " + strconv.Itoa(m.Number) + "." + strconv.Itoa(m.Part)
}

// Place is where the message stands among those of its key in its pipe.
func (m Message) Place() Place { return Place{Number: m.Number, Part: m.Part} }

// Place is where a message stands among those of its key in its pipe.
type Place struct{ Number, Part int }

// String is the place as it stands in a value.
func (p Place) String() string { return strconv.Itoa(p.Number) + "." + strconv.Itoa(p.Part) }

// Parse reads a value. What Value did not make is an error.
func Parse(value []byte) (Message, error) {
	pipe, rest, _ := strings.Cut(string(value), " ")
	key, place, _ := strings.Cut(rest, " ")
	first, second, _ := strings.Cut(place, ".")
	number, errNumber := strconv.Atoi(first)
	part, errPart := strconv.Atoi(second)
	m := Message{Pipe: pipe, Key: key, Number: number, Part: part}
	if errNumber != nil || errPart != nil || m.Value() != string(value) {
		return Message{}, fmt.Errorf("%.80q is no message of the chaos run", value)
	}
	return m, nil
}

// Stage is what a stage has to do.
type Stage struct {
	Name   string // also that of the pipe that it makes
	Input  string // the pipe that it reads
	splits int    // every so many messages become two; 0 is never
	poison int    // of every poisonEvery numbers, the one that is rejected

	// Of a stage that parks.
	attempts int // before a message is parked; 0: it is never parked
	hopeless int // of every poisonEvery numbers, the one that always fails
	trouble  Trouble
}

// poisonEvery is how many messages of a key there are to one that a stage rejects.
const poisonEvery = 50

// Stages are the stages, in the order of the flow.
func Stages(t Trouble) []Stage {
	stages := []Stage{
		{Name: First, Input: In, splits: 10, poison: 11, attempts: 1, hopeless: 37, trouble: t},
		{Name: Second, Input: First, poison: 23, attempts: 2, hopeless: 43, trouble: t},
		{Name: Third, Input: Second, poison: 31, attempts: 1, hopeless: 47, trouble: t},
	}
	if t.Chance == 0 {
		for i := range stages {
			stages[i].attempts = 0
		}
	}
	return stages
}

// Rejects tells that the stage rejects the message, so that it belongs in the poison
// topic.
func (s Stage) Rejects(m Message) bool { return m.Number%poisonEvery == s.poison && !s.Stays(m) }

// Poisons tells that the message belongs in the stage's poison topic.
func (s Stage) Poisons(m Message) bool { return s.Rejects(m) || s.Hopeless(m) }

// Make returns what the stage has to make of a message that it does not reject.
func (s Stage) Make(m Message) []Message {
	m.Pipe = s.Name
	if s.splits == 0 || m.Number%s.splits != 0 {
		return []Message{m}
	}
	other := m
	other.Part++
	return []Message{m, other}
}

// WorkerHeader is the header that says which worker has made a message.
const WorkerHeader = "chaos-worker"

// Topic is the name of a pipe's topic.
func Topic(pipeline, pipe string) string { return pipeline + "." + pipe }

// Group is the name of a stage's consumer group.
func Group(pipeline, stage string) string { return pipeline + "." + stage }

// PoisonTopic is the name of a stage's poison topic.
func PoisonTopic(pipeline, stage string) string { return pipeline + "." + stage + ".poison" }
