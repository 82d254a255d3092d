package router

import (
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/kafka"
)

// laneItem is a message in a lane, or a run of parked ones.
type laneItem struct {
	run *parkedRun // nil: a message

	entry  kafka.Entry
	record *kafka.Record
	ds     *deliveries
	index  int // in ds
	in     *input

	d       *pipeline.Delivery // nil until the first attempt
	f       failure
	due     time.Time // not to be tried before
	refused bool      // due says nothing: the stage's breaker gives no turn to a claim that drains

	fate      fate
	notBefore time.Time // where it is to be parked: not to be tried before
}

// fate is what is to become of a message.
type fate int

const (
	toTry    fate = iota
	toSettle      // its outputs are to be sent
	toPark        // its attempts here are used up
	toPoison
)
