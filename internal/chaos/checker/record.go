package checker

import (
	"time"

	"github.com/penstock/penstock/internal/chaos/flow"
	"github.com/penstock/penstock/internal/chaos/retrylog"
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

	// Writer is the worker that made it, where that says so.
	Writer string

	// Headers are all of them, as topics.Headers has them.
	Headers string

	// Poisoned is what a poison topic tells of the message.
	Poisoned Story
}

// Story is where a poisoned message was read, and why it was poisoned, after how
// many attempts.
type Story struct {
	Origin

	Reason   string
	Attempts int
}

// Origin is where a message is stored.
type Origin struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Hop is a stage and what its topics hold: for each partition in the order of the
// offsets.
type Hop struct {
	Stage   flow.Stage
	Inputs  []Record
	Outputs []Record
	Poison  []Record

	// Of a stage that parks.
	Log     []retrylog.Record
	InputID [16]byte // the id of the input's topic

	// Deadline is how long a message of a key may take while another key waits for
	// long. 0: that is not tested.
	Deadline time.Duration

	// Freezes are what was done to workers of the stage.
	Freezes []Freeze

	// Once tells that the stage runs exactly once: what came of a message and its end
	// in the log are one transaction, in which nothing comes before the other.
	Once bool
}
