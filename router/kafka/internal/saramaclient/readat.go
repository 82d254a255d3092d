package saramaclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// errNotYet means that a leader does not show yet what is in its log.
var errNotYet = errors.New("the leader does not show the offset yet")

// ReadAt fetches the record at an offset. ErrNotInLog says that there is none.
func (r *Reader) ReadAt(ctx context.Context, topic string, partition int32, offset int64) (client.Record, error) {
	ctx, cancel := r.within(ctx)
	defer cancel()
	rec, err := r.readAt(ctx, topic, partition, offset)
	if err != nil {
		return client.Record{}, fmt.Errorf("read %s/%d@%d: %w", topic, partition, offset, err)
	}
	return rec, nil
}

func (r *Reader) readAt(ctx context.Context, topic string, partition int32, offset int64) (client.Record, error) {
	if offset < 0 {
		return client.Record{}, ErrNotInLog
	}
	ask, err := r.connect(ctx)
	if err != nil {
		return client.Record{}, err
	}
	// As small as can be: the broker sends the whole batch that the offset is in.
	const size = 1
	var found []client.Record
	s := &scan{c: ask, links: r.quick, topic: topic, partition: partition}
	err = s.again(ctx, func() error {
		s.next, s.end, s.size = offset, offset+1, size
		k, err := s.ask()
		switch {
		case err != nil:
			return err
		case errors.Is(k.err, sarama.ErrOffsetOutOfRange):
			return nil
		case k.err != sarama.ErrNoError:
			return k.err
		case k.stable <= offset: // of a new leader it lags behind
			return errNotYet
		}
		found, _, err = s.read(k)
		return err
	})
	switch {
	case errors.Is(err, errNotYet):
		return client.Record{}, fmt.Errorf("%w: %w", ErrNotInLog, err)
	case err != nil:
		return client.Record{}, err
	case len(found) == 0:
		return client.Record{}, ErrNotInLog
	}
	return found[0], nil
}
