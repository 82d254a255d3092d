package router

import (
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// Where a stage is exactly once, what is parked is in the log exactly when the offset
// behind its message is committed, and what came of a parked message is there exactly
// when its DONE is. Both hold because each pair is in one transaction:
//
//	park:  the key counts as parked → PARK is an output of the message's entry → committed with the offset
//	       → PARK is read: in the index
//	try:   due → START is committed, and read → attempt, in the lane of the key → outputs, poison and DONE (or the
//	       next PARK) are committed together → DONE is read: out of the index → the key's next, or the key is free
//
// A message's outputs are committed behind those of all messages before it in the
// partition, and so is its PARK: nothing of its key can come of the log before.

// settle makes a PARK, and what goes with it, the outputs of the message's entry.
func (p *parker) settle(out *kafka.Outbox, entry kafka.Entry, e *parking.Park, beside []kafka.Output) error {
	for _, o := range append(beside, p.output(e)) {
		if err := out.Add(entry, &o); err != nil {
			out.Discard()
			return err
		}
	}
	out.Settle(entry)
	return nil
}

// keep has outputs wait for the run's end. What a topic would refuse is told now, as
// when it is sent: the outbox, which holds nothing then, looks at it.
func (run *parkedRun) keep(out *outbox, outs []kafka.Output) error {
	defer out.kafka.Discard()
	for i := range outs {
		if err := out.kafka.Add(0, &outs[i]); err != nil {
			return err
		}
	}
	run.kept = append(run.kept, outs...)
	for i := range outs {
		run.bytes += sizeOf(&outs[i])
	}
	return nil
}

// sizeOf is about how much memory an output keeps.
func sizeOf(out *kafka.Output) int {
	n := len(out.Key) + len(out.Value)
	for i := range out.Headers {
		n += len(out.Headers[i].Key) + len(out.Headers[i].Value)
	}
	return n
}
