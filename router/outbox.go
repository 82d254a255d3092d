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

	// Slabs. They are appended to and never used again, because what is under way
	// to the broker points into them.
	headers []kafka.Header
	bytes   []byte
	text    textSlab

	common []commonHeaders // of each pipe, made when the first output goes there
	expect int             // outputs that no slab was made for yet, more or less
	slab   int             // outputs that the last one was made for
}

// commonHeaders are those that all outputs into a pipe share.
type commonHeaders struct {
	pipe    *pipeline.PipeNode
	headers []kafka.Header
}

// outputsPerSlab bounds what a slab is made for. One output that is still under
// way keeps all of its slab.
const outputsPerSlab = 64

// begin says that outputs of about n messages are to come.
func (o *outbox) begin(n int) { o.expect, o.slab = n, 0 }

// reserve makes room for one output. Where there is none it begins new slabs: to
// grow one would copy what is under way. They are for outputs like this one, as
// many as are expected, or twice as many as the last time when there are more.
func (o *outbox) reserve(headers, bytes int) {
	noHeaders := cap(o.headers)-len(o.headers) < headers
	noBytes := cap(o.bytes)-len(o.bytes) < bytes
	if !noHeaders && !noBytes {
		return
	}
	n := o.expect
	if n <= 0 {
		n = 2 * o.slab
	}
	n = min(max(n, 1), outputsPerSlab)
	if noHeaders {
		o.headers = make([]kafka.Header, 0, n*headers)
		o.slab = n
		o.expect -= n
	}
	if noBytes {
		o.bytes = make([]byte, 0, n*bytes)
	}
}

// settle adds the outputs of a message that succeeded. A *TooLargeError makes
// the message poison: trying again would make the output again. Then nothing was
// added.
func (o *outbox) settle(entry kafka.Entry, d *pipeline.Delivery, outs *pipeline.Outputs) error {
	for i := range outs.List {
		if err := o.add(entry, d, i, &outs.List[i]); err != nil {
			o.kafka.Discard()
			return err
		}
	}
	o.kafka.Settle(entry)
	o.stage.stats.out.Add(int64(len(outs.List)))
	return nil
}

func (o *outbox) add(entry kafka.Entry, d *pipeline.Delivery, i int, out *pipeline.Output) error {
	rec := o.record(d, i, out)
	return o.kafka.Add(entry, &rec)
}

// records lays all outputs that were made of d into the slabs.
func (o *outbox) records(d *pipeline.Delivery, outs *pipeline.Outputs) []kafka.Output {
	recs := make([]kafka.Output, len(outs.List))
	for i := range outs.List {
		recs[i] = o.record(d, i, &outs.List[i])
	}
	return recs
}

// record lays the output at index i of what was made of d into the slabs.
func (o *outbox) record(d *pipeline.Delivery, i int, out *pipeline.Output) kafka.Output {
	if out.ID == "" {
		var id [32]byte
		out.ID = o.text.append(schemas.AppendID(id[:0], d.ID, o.stage.node.Group, i))
	}
	env := o.stage.node.Envelope(d, i, out)
	common := o.commonOf(out.Pipe, &env)
	headers, bytes := schemas.SizeOwn(&env)
	o.reserve(len(common)+headers, bytes+len(out.Key))
	first := len(o.headers)
	o.headers, o.bytes = schemas.AppendOwn(append(o.headers, common...), o.bytes, &env)
	rec := kafka.Output{Topic: out.Pipe.Topic, Value: out.Value, Headers: o.headers[first:len(o.headers):len(o.headers)]}
	if out.HasKey {
		start := len(o.bytes)
		o.bytes = append(o.bytes, out.Key...)
		rec.Key = o.bytes[start:len(o.bytes):len(o.bytes)]
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
		if err := o.parker.hold(entry, r, &f, story); err != nil {
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
