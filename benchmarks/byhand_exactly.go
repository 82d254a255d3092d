package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// byHandExactly is what one writes on sarama to have each message's output once: a
// consumer group, a transactional AsyncProducer a partition, and the offsets in its
// transactions, with the membership that has the claim.
func byHandExactly(ctx context.Context, j job, filter filterFunc) (err error) {
	cfg := byHandConfig()
	cfg.Consumer.Offsets.AutoCommit.Enable = false
	group, err := sarama.NewConsumerGroup(j.Brokers, j.group(), cfg)
	if err != nil {
		return fmt.Errorf("join group %s: %w", j.group(), err)
	}
	for ctx.Err() == nil && err == nil {
		err = group.Consume(ctx, []string{j.inputTopic()}, &exactClaims{job: j, filter: filter})
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, group.Close())
}

type exactClaims struct {
	job    job
	filter filterFunc
}

func (*exactClaims) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*exactClaims) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *exactClaims) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) (err error) {
	t, err := newTransactor(h.job, s, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	tick := time.NewTicker(transactionInterval)
	defer tick.Stop()
	for {
		select {
		case m, ok := <-c.Messages():
			if !ok {
				return t.commit()
			}
			value, err := h.filter(s.Context(), m.Value)
			if err != nil {
				return errors.Join(err, t.commit())
			}
			if err := t.send(m, value); err != nil {
				return err
			}
		case <-tick.C:
			if err := t.commit(); err != nil {
				return err
			}
		case err := <-t.producer.Errors():
			return fmt.Errorf("produce: %w", err.Err)
		}
	}
}

// transactionInterval is how often transactions end that are not full.
const transactionInterval = 100 * time.Millisecond

// transactor writes the outputs of one claim.
type transactor struct {
	job      job
	producer sarama.AsyncProducer
	session  sarama.ConsumerGroupSession
	claim    sarama.ConsumerGroupClaim
	begun    time.Time
	count    int   // messages in the open transaction; 0: none is open
	next     int64 // offset behind the last one
}

func newTransactor(j job, s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) (*transactor, error) {
	cfg := byHandConfig()
	cfg.Producer.Return.Successes = false
	cfg.Producer.Transaction.ID = fmt.Sprintf("%s-%d", j.group(), c.Partition())
	producer, err := sarama.NewAsyncProducer(j.Brokers, cfg)
	if err != nil {
		return nil, fmt.Errorf("make a producer: %w", err)
	}
	return &transactor{job: j, producer: producer, session: s, claim: c}, nil
}

func (t *transactor) send(m *sarama.ConsumerMessage, value []byte) error {
	if t.count == 0 {
		if err := t.producer.BeginTxn(); err != nil {
			return fmt.Errorf("begin a transaction: %w", err)
		}
		t.begun = time.Now()
	}
	headers := make([]sarama.RecordHeader, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = *h
	}
	out := &sarama.ProducerMessage{Topic: t.job.outputTopic(), Key: sarama.ByteEncoder(m.Key), Value: sarama.ByteEncoder(value), Headers: headers}
	select {
	case t.producer.Input() <- out:
	case err := <-t.producer.Errors():
		return fmt.Errorf("produce: %w", err.Err)
	}
	t.count++
	t.next = m.Offset + 1
	// The clock is looked at here too: a ticker comes late where messages do not.
	if t.count >= t.job.Load.Commit || t.count%64 == 0 && time.Since(t.begun) >= transactionInterval {
		return t.commit()
	}
	return nil
}

// commit ends the transaction, if one is open.
func (t *transactor) commit() error {
	if t.count == 0 {
		return nil
	}
	t.count = 0
	offsets := map[string][]*sarama.PartitionOffsetMetadata{
		t.claim.Topic(): {{Partition: t.claim.Partition(), Offset: t.next}},
	}
	member := sarama.NewConsumerGroupMetadataFromSession(t.session, t.job.group(), nil)
	if err := t.producer.AddOffsetsToTxnWithGroupMetadata(offsets, member); err != nil {
		return fmt.Errorf("add offsets to a transaction: %w", err)
	}
	if err := t.producer.CommitTxn(); err != nil {
		return fmt.Errorf("commit a transaction: %w", err)
	}
	return nil
}

// close ends the producer. A transaction that is still open is aborted.
func (t *transactor) close() error {
	var errs []error
	if t.count > 0 {
		errs = append(errs, t.producer.AbortTxn())
	}
	return errors.Join(append(errs, t.producer.Close())...)
}
