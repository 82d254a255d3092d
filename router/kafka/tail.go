package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// ErrNotInLog means that a partition has no such offset: its record was removed,
// or is not written yet, or belongs to no committed transaction.
var ErrNotInLog = saramaclient.ErrNotInLog

// Tail reads one partition beside the group, from an offset on and for as long
// as it is asked: nothing is committed, and nothing is fetched ahead. Only
// records of committed transactions are seen, and those before the first one
// that is open. Of calls of Next one at a time is served.
type Tail struct{ t *saramaclient.Tail }

// Tail begins to read a partition at offset from, or where its log begins if
// that is later. The tails of a member share connections that nothing else
// uses, and what they fetch is bounded: about 1 MiB each as the broker keeps it,
// compressed or not, or one batch if that is larger. A tail ends with Close, or when the membership does.
func (k *Claim) Tail(topic string, partition int32, from int64) (*Tail, error) {
	if err := k.ctx.Err(); err != nil {
		return nil, fmt.Errorf("tail %s/%d: %w", topic, partition, context.Cause(k.ctx))
	}
	return &Tail{t: k.sess.reader.Tail(topic, partition, from)}, nil
}

// Next waits for the next records and returns at least one. Where the leader
// moves or a connection is lost it tries again until ctx ends. Where records
// were removed before they were read it goes on at the beginning of the log.
// [ErrNotInLog] says that the log ends before the offset that is next: it was
// cut off, or the topic was made anew. After Close it is [ErrClosed].
func (t *Tail) Next(ctx context.Context) ([]Record, error) {
	records, err := t.t.Next(ctx)
	return records, closedError(err)
}

// Close ends the tail, also for who waits in Next.
func (t *Tail) Close() error {
	t.t.Close()
	return nil
}

// ReadAt fetches the record at an offset of a partition. It asks a few times
// where the leader moves or a connection is lost, while ctx lasts. [ErrNotInLog]
// says that there is none.
func (k *Claim) ReadAt(ctx context.Context, topic string, partition int32, offset int64) (Record, error) {
	r, err := k.sess.reader.ReadAt(ctx, topic, partition, offset)
	return r, closedError(err)
}

// DeleteRecords removes the records of a partition that lie before an offset.
// That they are removed already is no error. [ErrNotInLog] says that the log
// ends before it; then nothing was removed.
func (k *Claim) DeleteRecords(ctx context.Context, topic string, partition int32, before int64) error {
	return closedError(k.sess.reader.DeleteRecords(ctx, topic, partition, before))
}

func closedError(err error) error {
	if errors.Is(err, saramaclient.ErrReaderClosed) {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return err
}
