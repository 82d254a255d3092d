package client

import (
	"context"
	"errors"
	"fmt"
)

// Fate is what became of an output.
type Fate uint8

// The fates. Unknown means that the output was sent and nobody answered: it
// may be stored or not.
const (
	Stored Fate = iota
	NotStored
	Unknown
)

// String returns the fate's name.
func (f Fate) String() string {
	switch f {
	case Stored:
		return "stored"
	case NotStored:
		return "not stored"
	default:
		return "unknown"
	}
}

// Result tells the fate of consecutive outputs of one partition. Outputs, their
// tickets, is valid during the call that delivers the result, not longer.
type Result struct {
	Topic     string
	Partition int32
	Outputs   []Ticket
	Base      int64 // offset of the first one; -1 where it is not known
	Fate      Fate
	Err       error // nil exactly when the fate is Stored; a *RefusedError where the broker named the culprits
}

// ByOwner calls f with each run of consecutive outputs that have one owner.
func (r *Result) ByOwner(f func(owner any, outs []Ticket)) {
	outs := r.Outputs
	for len(outs) > 0 {
		owner, n := outs[0].Owner, 1
		for n < len(outs) && outs[n].Owner == owner {
			n++
		}
		f(owner, outs[:n])
		outs = outs[n:]
	}
}

var (
	// ErrFenced is the error of what was not sent because the producer is fenced.
	ErrFenced = errors.New("producer is fenced")
	// ErrClosed is the cause of a fence by Close.
	ErrClosed = errors.New("producer is closed")
	// ErrDeadline is the cause of a fence by a batch that could not be stored
	// within the delivery deadline.
	ErrDeadline = errors.New("delivery deadline passed")
)

// TooLargeError refuses an output that its topic would not take. None of the
// outputs of that call was enqueued.
type TooLargeError struct {
	Topic string
	Size  int // of a batch with that output alone, in bytes before compression
	Limit int // Topic.MaxBytes
}

// Error says what is too large and for what.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("an output of %d bytes is larger than topic %s takes (max.message.bytes=%d)", e.Size, e.Topic, e.Limit)
}

// RefusedError says that the broker refused a batch because of some of its
// outputs: trying them again ends the same way.
type RefusedError struct {
	Outputs []int // the culprits, as indices of Result.Outputs
	Err     error // what the broker said
}

// Error returns what the broker said.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns what the broker said.
func (e *RefusedError) Unwrap() error { return e.Err }

// Topic is what a producer has to know of a topic before it can write to it.
type Topic struct {
	Partitions int // how many partitions the topic has

	// MaxBytes is the largest batch, in bytes before compression, that the
	// topic is sure to take: its max.message.bytes, less what compressing a
	// batch that does not shrink would add.
	MaxBytes int
}

// Takes reports whether the topic takes the output. Whoever makes an output
// asks this before enqueueing it: there the output can still be treated as the
// failure of the message it came from. What compression would save is not
// counted on, since the broker may store the batch in another codec, or none.
func (t Topic) Takes(o *Output) bool { return o.BatchSize() <= t.MaxBytes }

// Producer stores outputs in order: of one partition nothing is stored unless
// everything enqueued before it was. It is safe for concurrent use; of one
// partition the order is that of the calls of Enqueue.
type Producer interface {
	// Prepare learns about a topic and makes its queues. It is called before
	// the first Enqueue to that topic, and again to see partitions that were
	// added since.
	Prepare(ctx context.Context, topic string) (Topic, error)

	// Enqueue takes all of outs or, with an error, none of them, and returns
	// without waiting for the broker. It keeps no reference to the slice, nor to
	// the keys, values and headers: their memory may be used again at once. The
	// caller bounds what is in flight. An output that its topic does not take
	// (see Topic.Takes) is refused with a *TooLargeError: the last line of
	// defence, for it is the caller who has to look before.
	Enqueue(topic string, outs []Output) error

	// Fence stops the producer at once and for good: nothing is sent after it
	// returns, and what is queued fails. Of each partition at most one batch,
	// the next one in order, can still be stored.
	Fence(cause error)

	// Flush waits until the fate of everything enqueued so far has been told.
	// It fails when ctx ends before that, and with the cause of the fence when
	// the producer is fenced: then not everything was stored.
	Flush(ctx context.Context) error

	// Close refuses new outputs, flushes until ctx ends, then fences. It
	// returns when every fate has been told and every connection is closed; nil
	// means that everything was stored.
	Close(ctx context.Context) error
}

// Transactions is what a transactional producer can do beside producing. After
// an error of any of its methods the transaction has to be aborted, and where
// that fails too the producer is fenced and made anew with the same id.
type Transactions interface {
	Producer

	// Begin opens a transaction. Outputs enqueued before it are refused.
	Begin() error

	// AddOffsets puts the offsets of a group into the transaction, with the
	// membership that the claims were given, so that a stale one is refused.
	AddOffsets(ctx context.Context, member Membership, offsets []Offset) error

	// End refuses further outputs, flushes, and commits or aborts. An error
	// without an answer of the broker means that the outcome is unknown.
	End(ctx context.Context, commit bool) error
}
