package saramaclient

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// scanTries is how often a request of a scan is sent in a row before its error
// counts.
const scanTries = 5

// fetchBytes is how much a scan asks for at once. The broker sends at least
// one batch, however large.
const fetchBytes = 1 << 20

// Scan calls f with the records that a partition has at the call from an offset on,
// or from where its log begins if that is later, in the order of offsets, those of
// aborted transactions left out. It ends before the first transaction that is open,
// and returns the offset to go on from.
//
// It fetches by requests of its own: sarama's consumer does not tell how far it
// is where the log ends in records that it hands to nobody, so that a slow
// answer and the end of the log look the same.
func Scan(ctx context.Context, c sarama.Client, topic string, partition int32, from int64, f func(*client.Record) error) (next int64, err error) {
	own := newLinks(c.Config())
	defer own.close()
	s := &scan{c: c, links: own, topic: topic, partition: partition, size: fetchBytes}
	err = s.again(ctx, s.bounds)
	s.next = max(s.next, from)
	for err == nil && s.next < s.end {
		var found []client.Record
		err = s.again(ctx, func() (err error) {
			found, err = s.fetch()
			return err
		})
		for i := range found {
			if err := f(&found[i]); err != nil {
				return found[i].Offset, err
			}
		}
	}
	return s.next, err
}

type scan struct {
	c         sarama.Client // looks up leaders and bounds
	links     *links        // for fetches
	topic     string
	partition int32
	next, end int64
	size      int32
	hasty     bool // an answer without records is not waited with
}

// again does f beside the caller until it succeeds, ctx ends, or its error is
// one that does not pass.
func (s *scan) again(ctx context.Context, f func() error) error {
	var last error
	for try := range scanTries {
		if try > 0 {
			if err := sleep(ctx, s.c.Config().Metadata.Retry.Backoff<<(try-1)); err != nil {
				return errors.Join(last, err)
			}
		}
		_, last = Aside(ctx, func() (struct{}, error) {
			if try > 0 {
				_ = s.c.RefreshMetadata(s.topic) // where that fails, so does what needs it
			}
			return struct{}{}, f()
		})
		if last == nil || ctx.Err() != nil || !moves(last) {
			return last
		}
	}
	return last
}

// moves tells the errors that a look-up of the leader can cure.
func moves(err error) bool {
	var code sarama.KError
	if !errors.As(err, &code) {
		return true // a connection's
	}
	switch code {
	case sarama.ErrNotLeaderForPartition, sarama.ErrLeaderNotAvailable, sarama.ErrReplicaNotAvailable,
		sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch, sarama.ErrOffsetNotAvailable,
		sarama.ErrRequestTimedOut, sarama.ErrKafkaStorageError, sarama.ErrOffsetOutOfRange:
		return true
	default:
		return false
	}
}

// bounds looks up where the partition begins and ends.
func (s *scan) bounds() (err error) {
	if s.next, err = s.c.GetOffset(s.topic, s.partition, sarama.OffsetOldest); err != nil {
		return fmt.Errorf("ask for the first offset: %w", err)
	}
	if s.end, err = s.c.GetOffset(s.topic, s.partition, sarama.OffsetNewest); err != nil {
		return fmt.Errorf("ask for the last offset: %w", err)
	}
	return nil
}

// fetch reads on from next and moves it.
func (s *scan) fetch() ([]client.Record, error) {
	k, err := s.ask()
	switch {
	case err != nil:
		return nil, fmt.Errorf("fetch from offset %d: %w", s.next, err)
	case errors.Is(k.err, sarama.ErrOffsetOutOfRange):
		return nil, errors.Join(fmt.Errorf("fetch from offset %d: %w", s.next, k.err), s.skip())
	case k.err != sarama.ErrNoError:
		return nil, fmt.Errorf("fetch from offset %d: %w", s.next, k.err)
	}
	s.end = min(s.end, k.stable) // an open transaction hides the rest
	from := s.next
	found, cut, err := s.read(k)
	switch {
	case err != nil:
		return nil, err
	case s.next == from && cut: // an old broker cut the first batch off
		s.size = doubled(s.size)
	case s.next == from: // what has anything answers with something
		s.next = s.end
	}
	return found, nil
}

// skip goes on where the log begins: what was removed since the scan began is
// no part of it any more.
func (s *scan) skip() error {
	oldest, err := s.c.GetOffset(s.topic, s.partition, sarama.OffsetOldest)
	if err == nil && oldest > s.next {
		s.next = min(oldest, s.end)
	}
	return err
}

// doubled is twice as much, as far as a request can ask for it.
func doubled(size int32) int32 { return int32(min(2*int64(size), math.MaxInt32)) }

func (s *scan) ask() (*block, error) {
	leader, err := s.c.Leader(s.topic, s.partition)
	if err != nil {
		return nil, err
	}
	const longest = 500 * time.Millisecond
	at := place{s.topic, s.partition}
	// The partition's bound is enough: some brokers that the answer's stops
	// forget to say what was aborted.
	req := &fetchRequest{wait: longest, size: math.MaxInt32, wishes: []wish{{place: at, offset: s.next, size: s.size, epoch: anyEpoch}}}
	if s.hasty {
		req.wait = 0
	}
	got, err := s.links.to(leader.Addr()).fetch(req)
	if err != nil {
		return nil, err
	}
	k := got[at]
	if k == nil {
		return nil, errLacksPartition
	}
	return k, nil
}
