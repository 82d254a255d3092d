package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/connect"
)

// producerID is what the broker knows a producer by.
type producerID struct {
	id    int64
	epoch int16
}

// newID asks for the producer's id: any broker, or for a transactional one its
// coordinator, which ends what an earlier producer of that name left open.
func (p *Producer) newID(ctx context.Context) (producerID, error) {
	if p.cfg.TransactionalID != "" {
		return p.newTransactionalID(ctx)
	}
	for {
		id, _, err := connect.Aside(ctx, nil, func() (producerID, error) { return askAny(p.cfg.Client, plainID) })
		if err == nil {
			return id, nil
		}
		// A cluster that has just started has no coordinator yet.
		if code := kafkaCode(err); code != sarama.ErrOffsetsLoadInProgress && code != sarama.ErrConsumerCoordinatorNotAvailable {
			return producerID{}, fmt.Errorf("get a producer id: %w", err)
		}
		if pause(ctx, nil, p.cfg.Backoff) != nil {
			return producerID{}, fmt.Errorf("get a producer id: %w: %w", context.Cause(ctx), err)
		}
	}
}

func plainID(broker *sarama.Broker) (producerID, error) {
	resp, err := broker.InitProducerID(&sarama.InitProducerIDRequest{Version: 4, ProducerID: -1, ProducerEpoch: -1})
	switch {
	case err != nil:
		return producerID{}, err
	case resp.Err != sarama.ErrNoError:
		return producerID{}, resp.Err
	}
	return producerID{resp.ProducerID, resp.ProducerEpoch}, nil
}

// askAny asks one broker after the other until one answers.
func askAny[T any](c sarama.Client, ask func(*sarama.Broker) (T, error)) (answer T, err error) {
	var errs []error
	brokers := c.Brokers()
	if b := c.LeastLoadedBroker(); b != nil {
		brokers = append([]*sarama.Broker{b}, brokers...)
	}
	for _, b := range brokers {
		if err := b.Open(c.Config()); err != nil && !errors.Is(err, sarama.ErrAlreadyConnected) {
			errs = append(errs, err)
			continue
		}
		answer, err := askOpened(b, ask)
		if err == nil || kafkaCode(err) != sarama.ErrNoError {
			return answer, err
		}
		errs = append(errs, fmt.Errorf("broker %s: %w", b.Addr(), err))
	}
	if len(errs) == 0 {
		return answer, sarama.ErrOutOfBrokers
	}
	return answer, errors.Join(errs...)
}

// Sarama says that a connection is open already a moment before others wait for it,
// while somebody else opens it. So a broker that is not connected is asked again.
const (
	openedTries = 5
	openedPause = 5 * time.Millisecond
)

func askOpened[T any](b *sarama.Broker, ask func(*sarama.Broker) (T, error)) (answer T, err error) {
	for range openedTries {
		if answer, err = ask(b); !errors.Is(err, sarama.ErrNotConnected) {
			break
		}
		<-time.After(openedPause)
	}
	return answer, err
}

// kafkaCode is the code that a broker answered with; ErrNoError means that the
// error is none of a broker's.
func kafkaCode(err error) sarama.KError {
	code, _ := errors.AsType[sarama.KError](err)
	return code
}

// pause waits, unless ctx or the producer ends before.
func pause(ctx context.Context, cut <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-cut:
		return errCut
	}
}
