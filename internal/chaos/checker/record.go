package checker

import (
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
)

// Record is a message as a topic holds it.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Key       string
	Value     string
	Time      time.Time // when it was made

	// Of the headers: the message's id, that of the message it was made of, and
	// that of the job. Each is empty where there is none; what was made of the job's
	// trigger has no parent.
	ID, Parent, Job string

	// Poisoned is what a poison topic tells of where the message was read.
	Poisoned Origin
}

// Origin is where a poisoned message was read, and why it was poisoned.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
	Reason    string
}

// Hop is a stage and what its topics hold: for each partition in the order of the
// offsets.
type Hop struct {
	Stage   flow.Stage
	Inputs  []Record
	Outputs []Record
	Poison  []Record
}
