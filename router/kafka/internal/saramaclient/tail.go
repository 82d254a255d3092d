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

// ErrNotInLog means that a partition has no such offset: it was removed, or is
// not written yet, or holds no record that may be seen.
var ErrNotInLog = errors.New("the offset is not in the log")

// Tail reads one partition in the order of offsets, as long as it is asked. It
// holds no more than one answer: about maxTailBytes, as the broker keeps them, or
// one batch.
type Tail struct {
	r    *Reader
	scan scan // of what is behind the log's end, too
	near bool // it has been at the log's end: what comes next is waited for with the other tails

	ctx   context.Context //nolint:containedctx // ends with the tail
	close context.CancelCauseFunc
	turn  chan struct{} // a place for the one call of Next
}

// Tail begins at an offset, or where the log does if that is later.
func (r *Reader) Tail(topic string, partition int32, from int64) *Tail {
	t := &Tail{r: r, turn: make(chan struct{}, 1)}
	t.scan = scan{topic: topic, partition: partition, next: max(from, 0), end: math.MaxInt64}
	t.ctx, t.close = context.WithCancelCause(r.ctx)
	return t
}

// Close ends a call of Next that waits.
func (t *Tail) Close() { t.close(ErrReaderClosed) }

// longestPause is what the wait after a failure doubles up to.
const longestPause = 2 * time.Second

// Next waits for the next records, at least one. It tries again and again
// where a leader has moved or a connection is lost.
func (t *Tail) Next(ctx context.Context) ([]client.Record, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	detach := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	defer detach()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	pause := t.r.cfg.Metadata.Retry.Backoff
	for {
		found, err := t.once(ctx)
		switch {
		case err == nil && len(found) > 0: // also when ctx has ended: the tail has gone on behind them
			return found, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil:
			pause = t.r.cfg.Metadata.Retry.Backoff
			continue
		}
		err = fmt.Errorf("tail %s/%d from offset %d: %w", t.scan.topic, t.scan.partition, t.scan.next, err)
		if errors.Is(err, ErrNotInLog) || !moves(err) {
			return nil, err
		}
		t.r.onError(err)
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, longestPause)
		t.refresh(ctx)
	}
}

// once asks the leader once. There may be nothing in its answer that may be seen.
func (t *Tail) once(ctx context.Context) ([]client.Record, error) {
	conn, err := t.r.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &t.scan
	if !t.near {
		if found, err := t.look(ctx, conn); err != nil || len(found) > 0 {
			return found, err
		}
	}
	leader, err := Aside(ctx, func() (*sarama.Broker, error) { return conn.Leader(s.topic, s.partition) })
	if err != nil {
		return nil, err
	}
	k, err := t.r.fetch(ctx, leader.Addr(), &ask{place: place{s.topic, s.partition}, offset: s.next})
	switch {
	case err != nil:
		return nil, err
	case errors.Is(k.err, sarama.ErrOffsetOutOfRange):
		return nil, t.skip(ctx)
	case k.err != sarama.ErrNoError:
		return nil, k.err
	}
	found, _, err := s.read(k)
	return found, err
}

// look asks the leader for what is there already. It has not to wait for what the
// other tails wait for. Where there is nothing, or some trouble, the tail waits
// with them from now on.
func (t *Tail) look(ctx context.Context, conn sarama.Client) ([]client.Record, error) {
	s := t.scan
	s.c, s.links, s.size, s.hasty = conn, t.r.quick, maxTailBytes, true
	k, err := Aside(ctx, s.ask)
	if err != nil || k.err != sarama.ErrNoError || len(k.batches) == 0 {
		t.near = true
		return nil, nil //nolint:nilerr // who asks next meets the trouble too, and deals with it
	}
	from := t.scan.next
	found, _, err := t.scan.read(k)
	t.near = t.scan.next == from
	return found, err
}

// skip goes on where the log begins, if that is later. The other way round the
// log is not the one that the offset is of.
func (t *Tail) skip(ctx context.Context) error {
	ask, err := t.r.connect(ctx)
	if err != nil {
		return err
	}
	s := &t.scan
	bounds, err := Aside(ctx, func() (bounds scan, err error) {
		bounds = scan{c: ask, topic: s.topic, partition: s.partition}
		err = bounds.bounds()
		return bounds, err
	})
	switch {
	case err != nil:
		return err
	case s.next < bounds.next:
		s.next = bounds.next
		return nil
	case s.next > bounds.end:
		return fmt.Errorf("the log ends at %d: %w", bounds.end, ErrNotInLog)
	default:
		return sarama.ErrOffsetOutOfRange // it was so, and is no more
	}
}

// refresh looks up the leader anew. Where that fails, so does what needs it.
func (t *Tail) refresh(ctx context.Context) {
	conn, err := t.r.connect(ctx)
	if err == nil {
		_, _ = Aside(ctx, func() (struct{}, error) { return struct{}{}, conn.RefreshMetadata(t.scan.topic) })
	}
}
