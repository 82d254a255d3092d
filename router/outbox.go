package router

import (
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
	"github.com/penstock/penstock/schemas"
)

// outbox writes the outputs and the poison of a worker's messages.
type outbox struct {
	stage  *stage
	kafka  *kafka.Outbox
	parker *parker // nil where the stage has no retry log

	slab   slab // of outputs that wait for the next flush
	text   textSlab
	common []commonHeaders // of each pipe, made when the first output goes there
}

// commonHeaders are those that all outputs into a pipe share.
type commonHeaders struct {
	pipe    *pipeline.PipeNode
	headers []kafka.Header
}

// settle adds the outputs of a message that succeeded. A *TooLargeError, or an
// *outsideError, makes the message poison: trying again would make the output
// again. Then nothing was added.
func (o *outbox) settle(entry kafka.Entry, d *pipeline.Delivery, outs *pipeline.Outputs) error {
	if o.kafka.Empty() {
		o.slab.reuse()
	}
	for i := range outs.List {
		rec := o.record(&o.slab, d, i, &outs.List[i])
		if err := o.kafka.Add(entry, &rec); err != nil {
			o.kafka.Discard()
			return ofOutside(&outs.List[i], err)
		}
	}
	o.kafka.Settle(entry)
	o.stage.stats.out.Add(int64(len(outs.List)))
	return nil
}

// records returns all outputs that were made of d. They have memory of their own.
func (o *outbox) records(d *pipeline.Delivery, outs *pipeline.Outputs) []kafka.Output {
	var own slab
	recs := make([]kafka.Output, len(outs.List))
	for i := range outs.List {
		recs[i] = o.record(&own, d, i, &outs.List[i])
	}
	return recs
}

// record lays the output at index i of what was made of d into a slab.
func (o *outbox) record(s *slab, d *pipeline.Delivery, i int, out *pipeline.Output) kafka.Output {
	if out.ID == "" {
		var id [32]byte
		out.ID = o.text.append(schemas.AppendID(id[:0], d.ID, o.stage.node.Group, i))
	}
	env := o.stage.node.Envelope(d, i, out)
	common := o.commonOf(out.Pipe, &env)
	headers, bytes := schemas.SizeOwn(&env)
	s.reserve(len(common)+headers, bytes+len(out.Key))
	first := len(s.headers)
	s.headers, s.bytes = schemas.AppendOwn(append(s.headers, common...), s.bytes, &env)
	rec := kafka.Output{Topic: out.Topic(), Value: out.Value, Headers: s.headers[first:len(s.headers):len(s.headers)]}
	if out.HasKey {
		start := len(s.bytes)
		s.bytes = append(s.bytes, out.Key...)
		rec.Key = s.bytes[start:len(s.bytes):len(s.bytes)]
		if rec.Key == nil {
			rec.Key = []byte{}
		}
	}
	return rec
}

func (o *outbox) commonOf(pipe *pipeline.PipeNode, env *schemas.Envelope) []kafka.Header {
	for i := range o.common {
		if o.common[i].pipe == pipe {
			return o.common[i].headers
		}
	}
	headers := schemas.AppendCommon([]kafka.Header(nil), env)
	o.common = append(o.common, commonHeaders{pipe, headers})
	return headers
}

// poison takes a message out of the flow, with its story, or where the stage
// wants that has it hold its key. An error means that the poison topic cannot
// take it: then the stage must not go on.
func (o *outbox) poison(entry kafka.Entry, r *kafka.Record, d *pipeline.Delivery, f failure) error {
	story := o.story(r, f, nil)
	if o.parker.holdsPoisoned(r.Key) {
		if err := o.parker.hold(o.kafka, entry, r, &f, story); err != nil {
			return o.cannotPoison(r, err)
		}
	} else {
		if err := o.kafka.Add(entry, &story); err != nil {
			return o.cannotPoison(r, err)
		}
		o.kafka.Settle(entry)
	}
	o.poisoned(r, d, f)
	return nil
}

// story is what the poison topic is to have of a message, and of one that was
// replayed its life before too.
func (o *outbox) story(r *kafka.Record, f failure, before *parking.Replayed) kafka.Output {
	p := Poisoned{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, RecordTime: r.Time,
		Stage: o.stage.node.Group, At: time.Now(), Attempts: f.attempts,
		FirstError: f.first.Error(), LastError: f.last.Error(),
		Key: r.Key, Value: r.Value, Headers: r.Headers,
	}
	switch {
	case before != nil:
		p.TopicID = before.Of.Topic
		p.Attempts += before.Attempts
		p.Replays = before.Replays + 1
		if before.FirstError != "" {
			p.FirstError = before.FirstError
		}
	case o.parker != nil:
		p.TopicID = o.parker.claim.TopicID()
	}
	return kafka.Output{Topic: o.stage.node.PoisonTopic, Key: r.Key, Value: r.Value, Headers: p.headers()}
}

// cannotPoison is the error of a message that could not be handed over.
func (o *outbox) cannotPoison(r *kafka.Record, err error) error {
	large, tooLarge := errors.AsType[*kafka.TooLargeError](err)
	if !tooLarge {
		return err
	}
	return fmt.Errorf("%s/%d@%d cannot be poisoned: %w; raise max.message.bytes of %s to %d at least", r.Topic, r.Partition, r.Offset, err, large.Topic, large.Size)
}

// poisoned counts a message that was poisoned, and tells of it.
func (o *outbox) poisoned(r *kafka.Record, d *pipeline.Delivery, f failure) {
	o.stage.stats.poison(f.last.Error())
	o.stage.log.Warn("poisoned", "id", d.ID, "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "attempts", f.attempts, "reason", cut(f.last.Error()))
}
