package retrylog

import (
	"cmp"
	"slices"
	"time"
)

// Live is a message that is parked.
type Live struct {
	Entry    Entry
	Key      string
	Keyed    bool
	Value    string
	Rank     int64
	Record   int64 // the offset of its newest PARK
	Attempts int

	NotBefore time.Time // zero: at once

	// Run is the offset of the START of the run that it is in, -1: of none since it
	// was parked last, or since the epoch began.
	Run int64
}

// Fold is what a log means: what is parked after the records that it has been given.
// It begins where the log does, or at a SCAN.
type Fold struct {
	Epoch int64 // in force, -1: none yet

	begin int64 // the offset of the first record, -1: there was none
	live  map[Entry]*Live
	keys  map[string][]*Live // by rank
}

// NewFold is the fold of no record.
func NewFold() *Fold {
	return &Fold{Epoch: -1, begin: -1, live: map[Entry]*Live{}, keys: map[string][]*Live{}}
}

// Live is the message's state, or nil when it is not parked.
func (f *Fold) Live(e Entry) *Live { return f.live[e] }

// Knows tells whether the fold has seen what lies at an offset.
func (f *Fold) Knows(offset int64) bool { return offset >= f.begin }

// Len is how many messages are parked.
func (f *Fold) Len() int { return len(f.live) }

// Each calls do for each parked message.
func (f *Fold) Each(do func(*Live)) {
	for _, l := range f.live {
		do(l)
	}
}

// Key are the parked messages of a key, in the order in which they are to run. The
// slice is the fold's.
func (f *Fold) Key(key string) []*Live { return f.keys[key] }

// Counts tells whether the record has an effect, by its epoch.
func (f *Fold) Counts(e *Event) bool {
	switch e.Kind {
	case Resume, Park, Start, Done, Scan:
		return e.Epoch == f.Epoch || f.begin < 0 && e.Kind == Scan
	default:
		return true
	}
}

// Apply folds a record in. It returns the messages that it ended.
func (f *Fold) Apply(e *Record) (ended []*Live) {
	counts := f.Counts(&e.Event)
	if f.begin < 0 {
		f.begin = e.Offset
	}
	if !counts {
		return nil
	}
	switch e.Kind {
	case Take:
		f.Epoch = e.Offset
		for _, l := range f.live {
			l.Run = -1
		}
	case Resume:
		for entry, l := range f.live {
			if entry.Topic == e.Input && entry.Offset >= e.W {
				ended = append(ended, l)
			}
		}
	case Park:
		f.park(e)
	case Start:
		for _, entry := range e.Entries {
			if l := f.live[entry]; l != nil {
				l.Run = e.Offset
			}
		}
	case Done:
		for _, entry := range e.Entries {
			if l := f.live[entry]; l != nil {
				ended = append(ended, l)
			}
		}
	case Scan:
		f.Epoch = e.Epoch
	case Replay, Drop:
	}
	for _, l := range ended {
		f.end(l)
	}
	return ended
}

func (f *Fold) park(e *Record) {
	l := f.live[e.Entry]
	switch {
	case e.Prev >= f.begin && (l == nil || l.Record != e.Prev):
		return // what it takes the place of has ended, or was parked anew
	case l == nil:
		l = &Live{Entry: e.Entry, Key: string(e.Key), Keyed: e.Key != nil, Value: e.Value, Rank: e.Rank, Run: -1}
		if e.Rank < 0 {
			l.Rank = e.Offset
		}
		f.enter(l)
	}
	l.Record, l.Attempts, l.NotBefore = e.Offset, e.Attempts, e.NotBefore
	f.stop(l)
}

// stop ends the run that the message is in: those behind it are not tried in it.
func (f *Fold) stop(l *Live) {
	run := l.Run
	l.Run = -1
	if run < 0 || !l.Keyed {
		return
	}
	for _, other := range f.keys[l.Key] {
		if other.Run == run {
			other.Run = -1
		}
	}
}

func (f *Fold) enter(l *Live) {
	f.live[l.Entry] = l
	if !l.Keyed {
		return
	}
	of := f.keys[l.Key]
	at, _ := slices.BinarySearchFunc(of, l.Rank, func(o *Live, rank int64) int { return cmp.Compare(o.Rank, rank) })
	f.keys[l.Key] = slices.Insert(of, at, l)
}

func (f *Fold) end(l *Live) {
	delete(f.live, l.Entry)
	if !l.Keyed {
		return
	}
	rest := slices.DeleteFunc(f.keys[l.Key], func(o *Live) bool { return o == l })
	if len(rest) == 0 {
		delete(f.keys, l.Key)
		return
	}
	f.keys[l.Key] = rest
}
