package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// coordinator is how one is found, and found again when it has moved.
type coordinator struct {
	line    *connect.Line
	find    func() (*sarama.Broker, error)
	refresh func() error
}

func (p *Producer) ownCoordinator() coordinator {
	id := p.cfg.TransactionalID
	return coordinator{
		p.lines.own,
		func() (*sarama.Broker, error) { return p.cfg.Client.TransactionCoordinator(id) },
		func() error { return p.cfg.Client.RefreshTransactionCoordinator(id) },
	}
}

func (p *Producer) groupCoordinator(group string) coordinator {
	return coordinator{
		p.lines.group,
		func() (*sarama.Broker, error) { return p.cfg.Client.Coordinator(group) },
		func() error { return p.cfg.Client.RefreshCoordinator(group) },
	}
}

// lines are a transactional producer's connections to its coordinator and to that of
// the group: most requests there are answered when all replicas have what they
// brought, and no other producer of the process has to wait behind them.
type lines struct{ own, group *connect.Line }

func newLines(conf *sarama.Config, gate *connect.Gate) lines {
	return lines{connect.NewLine(conf, gate), connect.NewLine(conf, gate)}
}

// close is called when the gate is shut, or no request is under way.
func (l lines) close() {
	l.own.Close()
	l.group.Close()
}

var (
	errUnanswered = errors.New("the coordinator has not answered")
	errTakenOver  = errors.New("another producer has the transactional id")
)

// request is sent to a coordinator. Each can be repeated: the second one finds
// done what the first did.
type request func(*sarama.Broker) (sarama.KError, error)

// askOrFence is ask for a producer that has started. It fences it when another
// one has its transactional id, and when ctx ends while a request is under way:
// that may arrive late and take effect in the next transaction, so there must
// not be one.
func (p *Producer) askOrFence(ctx context.Context, c coordinator, r request) error {
	err := p.ask(ctx, c, r)
	if errors.Is(err, errUnanswered) || errors.Is(err, errTakenOver) {
		p.Fence(err)
	}
	return err
}

// ask puts a request to a coordinator until it is answered for good.
func (p *Producer) ask(ctx context.Context, c coordinator, r request) error {
	moved := false
	for tries := 0; ; tries++ {
		running, err := p.askOnce(ctx, c, r, moved)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errCut):
			return p.fencedErr()
		case running:
			return fmt.Errorf("%w: %w", errUnanswered, err)
		}
		again, elsewhere, err := react(err)
		if !again {
			return err
		}
		moved = elsewhere
		switch e := pause(ctx, p.fence.cut, p.askAgainAfter(tries)); {
		case errors.Is(e, errCut):
			return p.fencedErr()
		case e != nil:
			return fmt.Errorf("%w; the last attempt: %w", e, err)
		}
	}
}

// askAgainAfter is the pause behind a request: short at first, because most have come
// while the end of a transaction was still being written to all of its partitions, and
// that is a matter of milliseconds.
func (p *Producer) askAgainAfter(tries int) time.Duration {
	const doublings = 2
	return p.cfg.Backoff >> max(doublings-tries, 0)
}

// askOnce looks the coordinator up, anew if it has moved, and sends the
// request. Running means that ctx ended before the answer came.
func (p *Producer) askOnce(ctx context.Context, c coordinator, r request, moved bool) (running bool, err error) {
	code, running, err := connect.Aside(ctx, p.fence.cut, func() (sarama.KError, error) {
		if moved {
			if err := c.refresh(); err != nil {
				return 0, err
			}
		}
		found, err := c.find()
		if err != nil {
			return 0, err
		}
		broker, err := c.line.To(found.Addr())
		if err != nil {
			return 0, err
		}
		code, err := r(broker)
		if err != nil {
			p.adrift.Store(true)
			c.line.Lost(broker)
		}
		return code, err
	})
	if err == nil && code != sarama.ErrNoError {
		err = code
	}
	return running, err
}

// react says what an error of a coordinator, or of the way to it, asks for.
func react(err error) (again, elsewhere bool, explained error) {
	switch code := kafkaCode(err); code {
	case sarama.ErrNoError: // the connection
		return !hopeless(err), true, err
	case sarama.ErrConcurrentTransactions, // the one before is still being ended
		sarama.ErrOffsetsLoadInProgress, sarama.ErrUnknownTopicOrPartition,
		sarama.ErrRequestTimedOut, sarama.ErrNotEnoughReplicas, sarama.ErrNotEnoughReplicasAfterAppend:
		return true, false, err
	case sarama.ErrNotCoordinatorForConsumer, sarama.ErrConsumerCoordinatorNotAvailable,
		sarama.ErrBrokerNotAvailable, sarama.ErrNetworkException, sarama.ErrKafkaStorageError:
		return true, true, err
	case sarama.ErrIllegalGeneration, sarama.ErrUnknownMemberId, sarama.ErrFencedInstancedId, sarama.ErrRebalanceInProgress:
		return false, false, fmt.Errorf("%w: %w", client.ErrStale, err)
	case sarama.ErrInvalidProducerEpoch, sarama.ErrProducerFenced, sarama.ErrInvalidProducerIDMapping:
		return false, false, fmt.Errorf("%w: %w", errTakenOver, err)
	default:
		return false, false, err
	}
}
