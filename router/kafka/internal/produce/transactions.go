package produce

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

var (
	errNoTransaction = errors.New("no transaction is open")
	errMustAbort     = errors.New("the transaction can only be aborted")
)

// Transactional is a producer whose outputs become visible to readers of
// committed records together, with the offsets they were made from, or never.
// Close does not end a transaction: what is open then is aborted when its
// timeout has passed, or when another producer takes the transactional id.
type Transactional struct{ *Producer }

var _ client.Transactions = Transactional{}

// NewTransactional takes over the transactional id: whatever another producer
// of that id has open is aborted, and what it still sends is refused. ctx
// bounds the start only.
func NewTransactional(ctx context.Context, cfg Config) (Transactional, error) {
	if cfg.TransactionalID == "" {
		return Transactional{}, errors.New("configuration of the producer: TransactionalID is missing")
	}
	p, err := start(ctx, cfg)
	if err != nil {
		return Transactional{}, err
	}
	return Transactional{p}, nil
}

// Begin opens a transaction. The broker hears of it with the first output or
// offset.
func (t Transactional) Begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refusal(); err != nil {
		return err
	}
	if t.txn.state != txnNone {
		return errors.New("a transaction is open already")
	}
	t.txn.begin()
	return nil
}

// AddOffsets puts the offsets of a group into the transaction, with the
// membership that the claims were given. client.ErrStale means that the group
// has moved on: abort, and give up the claim; or, where the member has a newer
// generation, call it again with that. Until that is taken, and after any other error,
// the transaction can only be aborted. When ctx ends before the broker has answered, the
// producer is fenced: a late request could reach into the next transaction.
func (t Transactional) AddOffsets(ctx context.Context, member client.Membership, offsets []client.Offset) error {
	if err := t.checkOpen(); err != nil {
		return err
	}
	if len(offsets) == 0 {
		return nil
	}
	err := t.addOffsets(ctx, member, offsets)
	t.mu.Lock()
	t.txn.stale = errors.Is(err, client.ErrStale)
	if err != nil && !t.txn.stale {
		t.txn.state = txnFailed
	}
	t.mu.Unlock()
	if err != nil {
		return fmt.Errorf("add offsets of group %s to the transaction %s: %w", member.Group, t.cfg.TransactionalID, err)
	}
	return nil
}

func (t Transactional) checkOpen() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.refusal(); err != nil {
		return err
	}
	switch t.txn.state {
	case txnOpen:
		return nil
	case txnFailed:
		return errMustAbort
	default:
		return errNoTransaction
	}
}

func (t Transactional) addOffsets(ctx context.Context, member client.Membership, offsets []client.Offset) error {
	if err := t.txn.joinGroup(ctx, member.Group); err != nil {
		return err
	}
	req := t.offsetCommit(member, offsets)
	return t.askOrFence(ctx, t.groupCoordinator(member.Group), func(b *sarama.Broker) (sarama.KError, error) {
		resp, err := b.TxnOffsetCommit(req)
		if err != nil {
			return 0, err
		}
		return firstError(resp.Topics), nil
	})
}

func (t Transactional) offsetCommit(member client.Membership, offsets []client.Offset) *sarama.TxnOffsetCommitRequest {
	req := &sarama.TxnOffsetCommitRequest{
		Version: 3, TransactionalID: t.cfg.TransactionalID, ProducerID: t.id.id, ProducerEpoch: t.id.epoch,
		GroupID: member.Group, GenerationID: member.Generation, MemberID: member.Member,
		Topics: map[string][]*sarama.PartitionOffsetMetadata{},
	}
	if member.Instance != "" {
		req.GroupInstanceID = &member.Instance
	}
	for i := range offsets {
		o := &offsets[i]
		req.Topics[o.Topic] = append(req.Topics[o.Topic], &sarama.PartitionOffsetMetadata{
			Partition: o.Partition, Offset: o.Offset, LeaderEpoch: -1, Metadata: &o.Metadata,
		})
	}
	return req
}

// End refuses further outputs, flushes, and commits or aborts. A transaction
// with neither outputs nor offsets ends without the broker. When ctx ends
// before the broker has answered, the outcome is unknown and the producer is
// fenced. After any other error the transaction can only be aborted. Where a
// connection to a coordinator was lost meanwhile, End takes a new epoch of the
// transactional id, so that no request that was lost with it can reach into a later
// transaction; without one the producer is fenced.
func (t Transactional) End(ctx context.Context, commit bool) error {
	if err := t.startEnding(commit); err != nil {
		return err
	}
	if err := t.Flush(ctx); err != nil {
		return fmt.Errorf("end the transaction %s: %w", t.cfg.TransactionalID, err)
	}
	if err := t.txn.awaitGroup(ctx); err != nil && commit {
		return fmt.Errorf("end the transaction %s: %w", t.cfg.TransactionalID, err)
	}
	if t.txn.isTouched() {
		if err := t.end(ctx, commit); err != nil {
			return fmt.Errorf("end the transaction %s: %w", t.cfg.TransactionalID, err)
		}
	}
	if err := t.leaveBehind(ctx); err != nil {
		t.Fence(err) // this one has ended, and there must not be another
	}
	t.mu.Lock()
	t.txn.state = txnNone
	t.mu.Unlock()
	return nil
}

// startEnding refuses further outputs. Until the end has succeeded the
// transaction can only be aborted.
func (t Transactional) startEnding(commit bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refusal(); err != nil {
		return err
	}
	switch {
	case t.txn.state == txnNone:
		return errNoTransaction
	case (t.txn.state == txnFailed || t.txn.stale) && commit:
		return errMustAbort
	}
	t.txn.state = txnFailed
	return nil
}

func (t Transactional) end(ctx context.Context, commit bool) error {
	return t.askOrFence(ctx, t.ownCoordinator(), func(b *sarama.Broker) (sarama.KError, error) {
		resp, err := b.EndTxn(&sarama.EndTxnRequest{
			Version: 2, TransactionalID: t.cfg.TransactionalID, ProducerID: t.id.id, ProducerEpoch: t.id.epoch, TransactionResult: commit,
		})
		if err != nil {
			return 0, err
		}
		return resp.Err, nil
	})
}
