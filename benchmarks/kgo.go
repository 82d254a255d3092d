package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// franz is what one writes on franz-go to be fast and lose nothing: one loop
// that polls and produces, and commits of what the callbacks have confirmed.
func franz(ctx context.Context, j job, filter filterFunc) (err error) {
	f := &franzStage{job: j, offsets: map[int32]*offsets{}}
	f.client, err = kgo.NewClient(
		kgo.SeedBrokers(j.Brokers...),
		kgo.ConsumerGroup(j.group()),
		kgo.ConsumeTopics(j.inputTopic()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.DefaultProduceTopic(j.outputTopic()),
		kgo.RequiredAcks(kgo.AllISRAcks()), // and idempotent, by default
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.ProducerLinger(0),
		kgo.MaxBufferedRecords(inFlight),
	)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer f.client.CloseAllowingRebalance()
	ctx, f.fail = context.WithCancelCause(ctx)
	defer f.fail(nil)
	var committing sync.WaitGroup
	committing.Go(func() { f.commitOften(ctx) })
	err = f.work(ctx, filter)
	f.fail(err)
	committing.Wait()

	// At the end: all that is under way is confirmed, and then committed.
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.stopTimeout())
	defer cancel()
	err = errors.Join(err, f.client.Flush(stopping), f.commit(stopping))
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

type franzStage struct {
	job    job
	client *kgo.Client
	fail   context.CancelCauseFunc

	mu      sync.Mutex
	offsets map[int32]*offsets
}

func (f *franzStage) work(ctx context.Context, filter filterFunc) error {
	var filterErr error
	for ctx.Err() == nil && filterErr == nil {
		fetches := f.client.PollFetches(ctx)
		if err := fetches.Err(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("poll: %w", err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			o := f.of(p.Partition)
			for _, r := range p.Records {
				value, err := filter(ctx, r.Value)
				if err != nil {
					filterErr = err
					return
				}
				offset := r.Offset
				o.begin(offset)
				// Not bound to ctx: what was begun is finished.
				f.client.Produce(context.WithoutCancel(ctx), &kgo.Record{Key: r.Key, Value: value, Headers: r.Headers}, func(_ *kgo.Record, err error) {
					if err != nil {
						f.fail(fmt.Errorf("produce: %w", err))
						return
					}
					o.done(offset)
				})
			}
		})
		f.client.AllowRebalance()
	}
	return filterErr
}

func (f *franzStage) of(partition int32) *offsets {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.offsets[partition]
	if o == nil {
		o = newOffsets(nil)
		f.offsets[partition] = o
	}
	return o
}

func (f *franzStage) commitOften(ctx context.Context) {
	t := time.NewTicker(commitInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := f.commit(ctx); err != nil && ctx.Err() == nil {
				f.fail(err)
			}
		}
	}
}

func (f *franzStage) commit(ctx context.Context) error {
	f.mu.Lock()
	next := map[int32]kgo.EpochOffset{}
	for partition, o := range f.offsets {
		if n, ok := o.next(); ok {
			next[partition] = kgo.EpochOffset{Epoch: -1, Offset: n}
		}
	}
	f.mu.Unlock()
	if len(next) == 0 {
		return nil
	}
	var err error
	f.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{f.job.inputTopic(): next},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, failure error) {
			err = failure
		})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
