package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// takeOver makes this claim the owner of its partition of the retry log and
// learns what is parked. TAKE is written first, and is the barrier: all that the
// owners before could write that counts lies below it. Then the log is read up to
// there. No message of the input is read before.
func (p *parker) takeOver(ctx context.Context) (err error) {
	progress := p.stage.stats.takeovers.begin(p.claim.Topic(), p.claim.Partition())
	defer func() { progress.end(err) }()
	begun := time.Now()
	if err := p.take(ctx); err != nil {
		return err
	}
	from := p.meta.read().Scan
	if from > p.epoch { // the topic was made anew
		from = 0
	}
	progress.of.Store(p.epoch + 1 - from)
	tail, err := p.claim.Tail(p.topic, p.claim.Partition(), from)
	if err != nil {
		return err
	}
	told := begun
	for p.read <= p.epoch {
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

// take writes TAKE and learns the epoch, which is its offset.
func (p *parker) take(ctx context.Context) error {
	if !p.claim.MayBegin() {
		return errors.New("the claim has ended")
	}
	stored := make(chan int64, 1)
	take := &parking.Take{Topic: p.claim.TopicID(), Start: p.claim.Start()}
	err := p.claim.Send([]kafka.Output{p.output(take)}, func(offsets []int64) { stored <- offsets[0] })
	if err != nil {
		return fmt.Errorf("take over the retry log %s/%d: %w", p.topic, p.claim.Partition(), err)
	}
	select {
	case p.epoch = <-stored:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
