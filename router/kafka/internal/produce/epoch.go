package produce

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
)

// newTransactionalID takes the transactional id over.
func (p *Producer) newTransactionalID(ctx context.Context) (producerID, error) {
	id, err := p.initTransactionalID(ctx, producerID{-1, -1})
	if err != nil {
		return producerID{}, fmt.Errorf("take over the transactional id %s: %w", p.cfg.TransactionalID, err)
	}
	return id, nil
}

// initTransactionalID asks for a new epoch: as the one who has it now, or, with a
// producer id of -1, whoever that is.
func (p *Producer) initTransactionalID(ctx context.Context, now producerID) (producerID, error) {
	// The answer goes through a channel: a request that ctx left behind must
	// not write to a variable of ours any more.
	ids := make(chan producerID, 1)
	err := p.ask(ctx, p.ownCoordinator(), func(b *sarama.Broker) (sarama.KError, error) {
		resp, err := b.InitProducerID(&sarama.InitProducerIDRequest{
			Version: 4, TransactionalID: &p.cfg.TransactionalID, TransactionTimeout: p.cfg.TransactionTimeout,
			ProducerID: now.id, ProducerEpoch: now.epoch,
		})
		if err != nil {
			return 0, err
		}
		if resp.Err == sarama.ErrNoError {
			ids <- producerID{resp.ProducerID, resp.ProducerEpoch}
		}
		return resp.Err, nil
	})
	if err != nil {
		return producerID{}, err
	}
	return <-ids, nil
}

// leaveBehind takes a new epoch where a request of the transactions so far may still be
// on its way, because its connection was lost: it was sent again since, and both may
// arrive.
//
//	EndTxn 1       its connection breaks; it stands in a queue, of the broker or before it
//	EndTxn 1       again, on another connection: the transaction has ended
//	outputs        of the next transaction
//	EndTxn 1       ends half of it, without its offsets
//
// In the same way late offsets would put later ones back. The broker refuses all that
// is of an earlier epoch. It cannot tell transactions of one epoch apart, unless each
// has its own, as from the requests of transaction.version 2 on (KIP-890). The caller
// sees to it that no transaction is open, and that nothing is under way.
func (p *Producer) leaveBehind(ctx context.Context) error {
	if !p.adrift.Load() {
		return nil
	}
	id, err := p.initTransactionalID(ctx, p.id)
	if err != nil {
		return fmt.Errorf("take a new epoch of the transactional id %s: %w", p.cfg.TransactionalID, err)
	}
	p.id = id
	p.adrift.Store(false)
	return nil
}
