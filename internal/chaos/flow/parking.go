package flow

import (
	"fmt"
	"hash/fnv"
)

// Trouble says how often attempts fail. What has failed is parked: some messages fail
// until they are poisoned, some wait for long, and all of one key stay parked from one
// message on.
//
// Whether an attempt fails depends on the message and the attempt's number alone, so
// what a record says of attempts can be checked.
type Trouble struct {
	Chance int  // one attempt in so many fails; 0: none does, and nothing is parked
	Slow   bool // some messages wait for long
}

// RetryLog is the name of a stage's retry log.
func RetryLog(pipeline string, s Stage) string {
	return pipeline + "." + s.Name + ".retry." + s.Input
}

// Parks is how often a message is tried after it was parked.
const Parks = 8

// mayFail is how many attempts at a message may fail by chance: so none is poisoned
// by chance.
const mayFail = 6

// The keys that are special.
const (
	staying  = 0 // its messages stay parked, from number stayFrom on
	stayFrom = 12
	slowest  = 3 // the keys up to this one wait for long, now and then
	slowEach = 500
	slowAt   = 5
)

// Key is the name of a key.
func Key(n int) string { return fmt.Sprintf("key-%d", n) }

// Parking tells whether the stage parks what fails.
func (s Stage) Parking() bool { return s.attempts > 0 }

// Attempts is how often a message is tried before it is parked.
func (s Stage) Attempts() int { return s.attempts }

// Fails tells whether an attempt at a message fails, by its number from 1 on.
func (s Stage) Fails(m Message, attempt int) bool {
	switch {
	case !s.Parking():
		return false
	case s.Hopeless(m) || s.Blocks(m) || s.Slow(m) && attempt <= s.attempts:
		return true
	case attempt > mayFail:
		return false
	}
	sum := fnv.New32a()
	fmt.Fprintf(sum, "%s %s %d", s.Name, m.Value(), attempt)
	return mix(sum.Sum32())%uint32(s.trouble.Chance) == 0
}

// mix spreads what differs in few bits only.
func mix(n uint32) uint32 {
	n ^= n >> 16
	n *= 0x85ebca6b
	n ^= n >> 13
	n *= 0xc2b2ae35
	return n ^ n>>16
}

// Hopeless tells whether every attempt at the message fails, so that it belongs in
// the poison topic.
func (s Stage) Hopeless(m Message) bool {
	return s.Parking() && m.Number%poisonEvery == s.hopeless && !s.Stays(m)
}

// Slow tells whether the message waits for long after it was parked.
func (s Stage) Slow(m Message) bool {
	return s.Parking() && s.trouble.Slow && SlowKey(m.Key) && m.Number%slowEach == slowAt
}

// SlowKey tells whether messages of the key can wait for long.
func SlowKey(key string) bool {
	for n := range slowest + 1 {
		if key == Key(n) {
			return true
		}
	}
	return false
}

// Stays tells whether the message is to stay parked: itself, or behind another.
func (s Stage) Stays(m Message) bool {
	return s.Parking() && s.Name == First && m.Key == Key(staying) && m.Number >= stayFrom
}

// Blocks tells whether the message is the one that keeps its key parked.
func (s Stage) Blocks(m Message) bool { return s.Stays(m) && m.Number == stayFrom }

// Tries is how many attempts there are at a message: those that fail, and the one
// that ends it.
func (s Stage) Tries(m Message) int {
	attempt := 1
	for s.Parking() && attempt < s.attempts+Parks && s.Fails(m, attempt) {
		attempt++
	}
	return attempt
}

// Source is the message that the stage makes this one of.
func (s Stage) Source(o Message) Message {
	o.Pipe = s.Input
	if s.splits > 0 {
		o.Part = 0
	}
	return o
}
