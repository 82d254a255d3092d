package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// byHand is what one writes on sarama to be fast and lose nothing: a consumer
// group, the idempotent AsyncProducer, and marking only what was confirmed.
func byHand(ctx context.Context, j job, filter filterFunc) (err error) {
	cfg := byHandConfig()
	producer, err := sarama.NewAsyncProducer(j.Brokers, cfg)
	if err != nil {
		return fmt.Errorf("make a producer: %w", err)
	}
	group, err := sarama.NewConsumerGroup(j.Brokers, j.group(), cfg)
	if err != nil {
		return errors.Join(fmt.Errorf("join group %s: %w", j.group(), err), producer.Close())
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	told := make(chan struct{})
	go func() {
		defer close(told)
		confirm(producer, fail)
	}()
	for ctx.Err() == nil && err == nil {
		err = group.Consume(ctx, []string{j.inputTopic()}, &byHandClaims{job: j, filter: filter, producer: producer})
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	err = errors.Join(err, group.Close())
	producer.AsyncClose()
	<-told
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

func byHandConfig() *sarama.Config {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V4_0_0_0
	cfg.Producer.Return.Successes = true
	cfg.Producer.RequiredAcks = sarama.WaitForAll
	cfg.Producer.Idempotent = true
	cfg.Net.MaxOpenRequests = 1 // sarama asks for it with Idempotent
	cfg.Producer.MaxMessageBytes = batchBytes
	cfg.Consumer.Offsets.Initial = sarama.OffsetOldest
	cfg.Consumer.Offsets.AutoCommit.Interval = commitInterval
	cfg.Consumer.MaxProcessingTime = 10 * time.Second
	cfg.Consumer.IsolationLevel = sarama.ReadCommitted
	cfg.ChannelBufferSize = 1024
	return cfg
}

// confirm takes what became of the outputs.
func confirm(producer sarama.AsyncProducer, fail context.CancelCauseFunc) {
	successes, failures := producer.Successes(), producer.Errors()
	for successes != nil || failures != nil {
		select {
		case m, ok := <-successes:
			if !ok {
				successes = nil
				continue
			}
			from := m.Metadata.(origin) //nolint:forcetypeassert // it is ours
			from.offsets.done(from.offset)
		case e, ok := <-failures:
			if !ok {
				failures = nil
				continue
			}
			fail(fmt.Errorf("produce: %w", e.Err))
		}
	}
}

// origin is where an output comes from.
type origin struct {
	offsets *offsets
	offset  int64
}

type byHandClaims struct {
	job      job
	filter   filterFunc
	producer sarama.AsyncProducer
}

func (*byHandClaims) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*byHandClaims) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *byHandClaims) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	o := newOffsets(func(next int64) { s.MarkOffset(c.Topic(), c.Partition(), next, "") })
	topic := h.job.outputTopic()
	for m := range c.Messages() {
		value, err := h.filter(s.Context(), m.Value)
		if err != nil {
			return err
		}
		headers := make([]sarama.RecordHeader, len(m.Headers))
		for i, h := range m.Headers {
			headers[i] = *h
		}
		o.begin(m.Offset)
		h.producer.Input() <- &sarama.ProducerMessage{
			Topic: topic, Key: sarama.ByteEncoder(m.Key), Value: sarama.ByteEncoder(value), Headers: headers,
			Metadata: origin{o, m.Offset},
		}
	}
	// Else what is confirmed after the claim is repeated by its next owner.
	return o.awaitDone(h.job.stopTimeout())
}
