package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// Claim is one partition for as long as this member owns it. It is safe for
// concurrent use.
type Claim struct {
	sess    *session
	c       client.Claim
	topicID [16]byte
	ledger  *ledger

	// ctx ends when the work on the claim's messages is to be given up.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// reading ends when no more batches come.
	reading     context.Context
	stopReading context.CancelFunc
	leave       func() bool // takes the claim off the session's context

	unacked chan struct{}  // a place a message that is delivered and not acknowledged
	offers  sync.WaitGroup // deliveries beside the reading loop

	number   *number // nil without transactions
	release  *release
	released bool // something has been; guarded by the number's lock of its transaction

	committed int64 // guarded by the session's commit lock
	pos       position
	out       outgoing
}

var (
	// ErrClaimLost is the cause of a claim's context when the work on its
	// messages is given up: the partition belongs to another member, or a
	// delivery failed for good, or the drain took too long. What is not done
	// is read again.
	ErrClaimLost = errors.New("the claim is over")

	errRefused = errors.New("a batch was refused by its handler")
)

func newClaim(sess *session, c client.Claim, topicID [16]byte) *Claim {
	k := &Claim{sess: sess, c: c, topicID: topicID, ledger: newLedger(), committed: -1, unacked: make(chan struct{}, sess.sub.cfg.MaxUnacked)}
	if sess.sub.cfg.Transactions != nil {
		k.release = newRelease()
	}
	k.ctx, k.cancel = context.WithCancelCause(context.Background())
	k.reading, k.stopReading = context.WithCancel(k.ctx)
	k.leave = context.AfterFunc(sess.s.Context(), k.stopReading)
	context.AfterFunc(k.reading, k.startDeadline)
	go func() {
		select {
		case <-c.Revoked():
			k.stopReading()
		case <-k.reading.Done():
		}
	}()
	return k
}

// startDeadline bounds the drain from the moment that reading ends, also while
// a handler still has a batch.
func (k *Claim) startDeadline() {
	limit := k.sess.sub.cfg.DrainTimeout
	t := time.AfterFunc(limit, func() {
		n, _ := k.ledger.inFlight()
		k.fail(fmt.Errorf("%s/%d: %d messages, and %d pieces of other work, were not done within the drain deadline of %v: the messages are read again", k.Topic(), k.Partition(), n, k.ledger.holds(), limit))
	})
	context.AfterFunc(k.ctx, func() { t.Stop() })
}

// Topic is the topic of the claim.
func (k *Claim) Topic() string { return k.c.Topic() }

// TopicID is the id that the cluster gave the topic when it was made.
func (k *Claim) TopicID() [16]byte { return k.topicID }

// Partition is the number of the partition.
func (k *Claim) Partition() int32 { return k.c.Partition() }

// Context ends when the work on the claim's messages is to be given up. It
// outlives Draining by at most the drain deadline.
func (k *Claim) Context() context.Context { return k.ctx }

// Draining is closed when no more batches come: the member stops, or the
// partition is revoked. What is at work is to be finished, what waits is to be
// abandoned.
func (k *Claim) Draining() <-chan struct{} { return k.reading.Done() }

// MayBegin tells whether the work on another message may begin. It waits while
// the group hands out its partitions anew, and is false when the claim drains.
func (k *Claim) MayBegin() bool {
	return k.reading.Err() == nil && k.sess.s.Pass(k.reading) == nil && k.reading.Err() == nil
}

// MayFinish is MayBegin for work that goes on while the claim drains: it is
// false when the work is to be given up.
func (k *Claim) MayFinish() bool { return k.sess.s.Pass(k.ctx) == nil && k.ctx.Err() == nil }

// Throttle waits while more bytes of settled messages and their outputs wait
// for the broker than the Subscriber allows a claim to have in flight. Who makes
// many outputs of few messages calls it between them. It fails when ctx ends.
func (k *Claim) Throttle(ctx context.Context) error {
	return k.ledger.awaitStored(ctx, k.sess.sub.cfg.MaxInFlightBytes)
}

// serve reads the claim until it is over, then drains it: what was handed out
// is waited for, what is done is committed, and only then the partition may
// go to another member.
func (k *Claim) serve() error {
	defer k.stopReading()
	defer k.leave() // the session may go on without the claim
	err := k.prepare()
	if err == nil {
		err = k.read()
	}
	if err != nil {
		k.fail(err)
	}
	k.stopReading()
	err = k.drain()
	k.offers.Wait() // the claim's context has ended: none of them waits any more
	return err
}

func (k *Claim) read() error {
	cfg := k.sess.sub.cfg
	// Looked at beside the waits below, which may prefer what is there to read:
	// where a handler was left behind, no second one may begin.
	for k.ctx.Err() == nil && k.reading.Err() == nil {
		entries, bytes, err := k.ledger.awaitRoom(k.reading, int64(cfg.MaxInFlight), cfg.MaxInFlightBytes)
		if err != nil {
			return nil //nolint:nilerr // reading has ended: drain says whether that is an error
		}
		records, err := k.c.Next(k.reading, int(min(entries, int64(cfg.MaxBatch))), int(bytes))
		if err != nil {
			if errors.Is(err, io.EOF) || k.reading.Err() != nil {
				return nil //nolint:nilerr // so has the claim
			}
			return fmt.Errorf("read %s/%d: %w", k.Topic(), k.Partition(), err)
		}
		if len(records) == 0 {
			k.ledger.pass(k.c.Passed())
			continue
		}
		b := &Batch{Claim: k, Records: records, first: k.ledger.openAll(records)}
		if err := k.sess.sub.deliver(b); err != nil {
			return err
		}
	}
	return nil
}

// drain waits until nothing of the claim is in flight and commits how far it
// is done. Past the deadline the producer is fenced before the partition is
// given up, so that nothing of this claim is stored behind the back of its
// next owner.
func (k *Claim) drain() error {
	_ = k.ledger.awaitQuiet(k.ctx) // an error is the context's: looked at below
	if f := k.sess.sub.cfg.OnRelease; f != nil {
		f(k)
	}
	// Also after a failure: what is confirmed is confirmed, and committing it
	// saves repeats.
	commitCtx, stop := context.WithTimeout(context.Background(), commitTimeout)
	commitErr := k.sess.release(commitCtx, k)
	stop()
	if k.ctx.Err() != nil {
		return context.Cause(k.ctx)
	}
	k.cancel(ErrClaimLost)
	if commitErr != nil && !errors.Is(commitErr, client.ErrStale) {
		return fmt.Errorf("end the claim of %s/%d: %w", k.Topic(), k.Partition(), commitErr)
	}
	return nil
}

// Abandon gives up a message because the claim ends: it is not settled, not
// committed, and read again by whoever has the partition next.
func (k *Claim) Abandon(e Entry) {
	k.ledger.abandon(int64(e))
	if k.number == nil {
		return
	}
	for _, lost := range k.release.giveUp(int64(e)) {
		k.ledger.abandon(lost)
	}
}

// Done settles a message that is at its end without outputs in an [Outbox]: what
// came of it is stored already, as what [Claim.Send] told of, or nothing had to
// be.
func (k *Claim) Done(e Entry) {
	if k.number != nil {
		k.hold([]settled{{entry: int64(e)}}, 0)
		return
	}
	k.ledger.settle([]settlement{{entry: int64(e)}})
}

// Work makes the drain wait until done is called, at most for as long as it
// waits for messages: for work that no message in flight stands for. It is
// called before [Claim.MayBegin], and the work is begun only if that is true:
// else the drain may be over. done can be called more than once.
func (k *Claim) Work() (done func()) {
	k.ledger.hold(1)
	return sync.OnceFunc(func() { k.ledger.hold(-1) })
}

// Fail gives up the claim, and with it all claims of the member: the member
// joins again and reads on from what is done. It is for what cannot be dealt
// with otherwise, and must not be lost.
func (k *Claim) Fail(err error) { k.fail(err) }

// fail ends the session of the claim for all its claims.
func (k *Claim) fail(err error) { k.sess.fail(err) }

// producer is where the claim's outputs go.
func (k *Claim) producer() client.Producer {
	if k.number != nil {
		return k.number.producer
	}
	return k.sess.producer
}

// commitTimeout bounds a commit. The group's session goes on meanwhile.
const commitTimeout = 10 * time.Second
