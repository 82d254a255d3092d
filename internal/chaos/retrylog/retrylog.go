// Package retrylog reads what a stage wrote into a retry log: it decodes the records
// and folds them into what is parked. It is made from the written format,
// docs/parking.md, and shares no code with what writes the logs.
//
// In a chaos run no operator replays or drops anything. So of such records only the
// kind is read, and a fold does not heed them.
package retrylog

import "time"

// Kind is what a record says.
type Kind uint8

// The kinds, with the numbers that the format gives them.
const (
	Take Kind = iota + 1
	Park
	Start
	Done
	Replay
	Drop
	Scan
	Resume
)

// Entry names a message: a topic's id, and an offset in the log's partition there.
type Entry struct {
	Topic  [16]byte
	Offset int64
}

// Outcome is what a DONE says of its messages.
type Outcome uint8

// The outcomes, with the numbers that the format gives them.
const (
	Succeeded Outcome = iota + 1
	Skipped
	Poisoned
)

// Event is what a record says. Which fields are set depends on the kind.
type Event struct {
	Kind Kind

	Epoch int64 // of RESUME, PARK, START, DONE and SCAN

	// Of a RESUME: from where on the topic is read again.
	Input [16]byte
	W     int64

	Entries []Entry // of START and DONE
	Outcome Outcome // of DONE

	Parked // of a PARK
}

// Parked is a parked message as a PARK has it.
type Parked struct {
	Entry     Entry
	Rank      int64 // -1: the record's own offset
	Prev      int64 // -1: the message was not parked before
	Attempts  int
	Starts    int
	NotBefore time.Time // zero: at once
	Held      bool
	Replayed  bool // by an operator
}

// HeaderName is the key of the header that says what a record means: its last one.
const HeaderName = "penstock-park"
