package saramaclient

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// scanTries is how often a request of a scan is sent in a row before its error
// counts.
const scanTries = 5

// fetchBytes is how much a scan asks for at once. The broker sends at least
// one batch, however large.
const fetchBytes = 1 << 20

// Scan calls f with the records that a partition has at the call, in the order
// of offsets, those of aborted transactions left out. It ends before the first
// transaction that is open.
//
// It fetches by requests of its own: sarama's consumer does not tell how far it
// is where the log ends in records that it hands to nobody, so that a slow
// answer and the end of the log look the same.
func Scan(ctx context.Context, c sarama.Client, topic string, partition int32, f func(*client.Record) error) error {
	s := &scan{c: c, topic: topic, partition: partition, size: fetchBytes}
	err := s.again(ctx, s.bounds)
	for err == nil && s.next < s.end {
		var found []client.Record
		err = s.again(ctx, func() (err error) {
			found, err = s.fetch()
			return err
		})
		for i := range found {
			if err := f(&found[i]); err != nil {
				return err
			}
		}
	}
	return err
}

type scan struct {
	c         sarama.Client
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
	block, err := s.ask()
	switch {
	case err != nil:
		return nil, fmt.Errorf("fetch from offset %d: %w", s.next, err)
	case errors.Is(block.Err, sarama.ErrOffsetOutOfRange):
		return nil, errors.Join(fmt.Errorf("fetch from offset %d: %w", s.next, block.Err), s.skip())
	case block.Err != sarama.ErrNoError:
		return nil, fmt.Errorf("fetch from offset %d: %w", s.next, block.Err)
	}
	s.end = min(s.end, block.LastStableOffset) // an open transaction hides the rest
	from := s.next
	found, err := s.read(block)
	switch {
	case err != nil:
		return nil, err
	case s.next == from && block.Partial: // an old broker cut the first batch off
		s.size *= 2
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

func (s *scan) ask() (*sarama.FetchResponseBlock, error) {
	leader, err := s.c.Leader(s.topic, s.partition)
	if err != nil {
		return nil, err
	}
	// The partition's bound is enough: some brokers that the answer's stops
	// forget to say what was aborted.
	req := &sarama.FetchRequest{
		Version: 11, MinBytes: 1, MaxBytes: math.MaxInt32, MaxWaitTime: 500, // ms
		Isolation: sarama.ReadCommitted, SessionEpoch: -1, // no session
	}
	if s.hasty {
		req.MaxWaitTime = 0
	}
	req.AddBlock(s.topic, s.partition, s.next, s.size, -1)
	res, err := leader.Fetch(req)
	if err != nil {
		_ = leader.Close() // it is dialled again with the next use
		return nil, err
	}
	block := res.GetBlock(s.topic, s.partition)
	if block == nil {
		return nil, errors.New("the broker's answer lacks the partition")
	}
	return block, nil
}
