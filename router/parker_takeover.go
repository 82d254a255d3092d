package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// takeOver makes this claim the owner of its partition of the retry log and learns
// what is parked. No message of the input is read before. In this order:
//
//	TAKE is stored       what the owners before write from now on is void
//	the group is asked   we are a member still: nobody else has had the partition, or
//	                     committed an offset of it, since ours was fetched
//	RESUME is stored     what the input brings again is dropped; void behind another's TAKE
//	the log is read      up to RESUME, without another's TAKE behind ours: both count
//
// A process can be frozen anywhere in between, for longer than its session, and
// others may park and commit meanwhile what lies above the offset that it goes on
// from. Frozen before the question, it is told that it is no member. Frozen behind
// it, the others' TAKEs lie behind ours, and RESUME counts no more.
//
// Where the stage is exactly once nobody is asked: whoever has had the partition since
// our offset was fetched has taken over the transactional id before, so neither event
// is committed. Both are in one transaction as a rule.
func (p *parker) takeOver(ctx context.Context) (err error) {
	progress := p.stage.stats.takeovers.begin(p.claim.Topic(), p.claim.Partition())
	defer func() { progress.end(err) }()
	begun := time.Now()
	resumed, err := p.take(ctx)
	if err != nil {
		return fmt.Errorf("take over the retry log %s/%d: %w", p.topic, p.claim.Partition(), err)
	}
	from := p.meta.read().Scan
	if from > p.epoch { // the topic was made anew
		from = 0
	}
	progress.of.Store(resumed + 1 - from)
	tail, err := p.claim.Tail(p.topic, p.claim.Partition(), from)
	if err != nil {
		return err
	}
	told := begun
	for p.read <= resumed {
		records, err := tail.Next(ctx)
		if err == nil {
			err = p.apply(records)
		}
		if err != nil {
			_ = tail.Close()
			return fmt.Errorf("take over the retry log %s/%d: %w", p.topic, p.claim.Partition(), err)
		}
		progress.read.Add(int64(len(records)))
		if time.Since(told) > tellEvery {
			told = time.Now()
			p.log.Info("taking over what is parked", "read", progress.read.Load(), "of", progress.of.Load())
		}
	}
	// What the owner before has committed to be removed, if it was not; and who may
	// not remove anything is to know now, and not when the log is long.
	if err := p.claim.DeleteRecords(ctx, p.topic, p.claim.Partition(), from); err != nil {
		_ = tail.Close()
		return fmt.Errorf("take over the retry log: %w", err)
	}
	if n := p.index.Stats().Live; n > 0 {
		p.log.Info("took over what is parked", "messages", n, "read", progress.read.Load(), "took", time.Since(begun))
	}
	p.tail = tail
	return nil
}

// tellEvery is how often a takeover that takes long is told of.
const tellEvery = 5 * time.Second

// take writes TAKE, whose offset is the epoch, makes sure of the claim, and writes
// RESUME. It returns the offset of that.
func (p *parker) take(ctx context.Context) (resumed int64, err error) {
	if !p.claim.MayBegin() {
		return 0, errors.New("the claim has ended")
	}
	p.epoch, err = p.store(ctx, &parking.Take{}, p.claim.Place)
	if err != nil {
		return 0, err
	}
	if !p.stage.node.ExactlyOnce {
		if err := p.claim.Heartbeat(ctx); err != nil {
			return 0, err
		}
	}
	return p.store(ctx, &parking.Resume{Epoch: p.epoch, Topic: p.claim.TopicID(), Start: p.claim.Start()}, p.claim.Send)
}

// store writes an event, one of those before the log is read, and waits until it has
// an offset.
func (p *parker) store(ctx context.Context, e parking.Event, send func([]kafka.Output, func([]int64)) error) (offset int64, err error) {
	stored := make(chan int64, 1)
	if err := send([]kafka.Output{p.output(e)}, func(offsets []int64) { stored <- offsets[0] }); err != nil {
		return 0, err
	}
	select {
	case offset = <-stored:
		return offset, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
