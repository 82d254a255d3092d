package produce

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// delivery is one batch on its way. It is tried, with the same bytes, until it
// is stored, refused for good, too late, or the producer is fenced.
type delivery struct {
	batch  []byte
	count  int   // outputs in it
	tries  int   // attempts that failed
	unsure bool  // an attempt may have stored it
	last   error // why the last attempt failed
}

// fate is that of a batch that was not confirmed.
func (d *delivery) fate() client.Fate {
	if d.unsure {
		return client.Unknown
	}
	return client.NotStored
}

// deliver returns when the batch is stored, at offset base, or with an error
// when they never will be. Then the batch may still be at a sender (w.out), and
// settle takes it back.
func (w *partition) deliver(b *batch) (base int64, fate client.Fate, err error) {
	w.timer.Reset(w.p.cfg.DeliveryTimeout)
	defer w.timer.Stop()
	if w.p.txn != nil {
		if err := w.join(); err != nil {
			return -1, client.NotStored, err
		}
	}
	if w.counted != w.p.id {
		w.counted, w.sequence = w.p.id, 0
	}
	err = w.p.codec.finish(b, &w.p.memory, stamp{id: w.p.id, sequence: w.sequence, transactional: w.p.txn != nil})
	if err != nil {
		return -1, client.NotStored, w.explain(err)
	}
	d := delivery{batch: b.bytes, count: len(b.tickets)}
	for {
		done, base, err := w.attempt(&d)
		switch {
		case done && err == nil:
			w.sequence = nextSequence(w.sequence, d.count)
			return base, client.Stored, nil
		case done:
			return -1, d.fate(), w.explain(err)
		}
		w.stale = true
		d.tries++
		d.last = err
		w.p.log.Debug("batch is tried again", slog.String("topic", w.topic.name), slog.Int("partition", int(w.id)),
			slog.Int("tries", d.tries), slog.Any("error", err))
		if err := w.pause(d.tries); err != nil {
			return -1, d.fate(), w.explain(w.late(&d, err))
		}
	}
}

// attempt sends the batch to the leader once. It is done when the batch is
// stored, or with the error that ends the delivery.
func (w *partition) attempt(d *delivery) (done bool, base int64, err error) {
	leader, err := w.leader()
	switch {
	case errors.Is(err, errCut), errors.Is(err, client.ErrDeadline):
		return true, -1, w.late(d, err)
	case err != nil:
		return hopeless(err), -1, err
	}
	w.out = true
	w.p.senders.submit(leader, flight{topic: w.topic.name, partition: w.id, batch: d.batch, reply: w.reply})
	select {
	case r := <-w.reply:
		w.out = false
		return w.judge(d, r)
	case <-w.timer.C:
		d.unsure = true
		return true, -1, w.late(d, client.ErrDeadline)
	case <-w.p.fence.cut:
		d.unsure = true
		return true, -1, errCut
	}
}

// judge reads the reply to an attempt.
func (w *partition) judge(d *delivery, r reply) (done bool, base int64, err error) {
	if r.err != nil {
		d.unsure = d.unsure || r.sent
		return false, -1, r.err
	}
	v := judge(r.answer.code)
	d.unsure = d.unsure || !v.sure
	switch {
	case v.stored && r.answer.code == sarama.ErrNoError:
		return true, r.answer.offset, nil
	case v.stored:
		return true, -1, nil // a duplicate: the broker does not say where
	default:
		return !v.retry, -1, answerError(r.answer)
	}
}

// settle takes a batch back from its sender after the fence. The cut ends what
// a sender can wait for, so its reply comes at once; only somebody else's code
// that a connection is made with (a token provider) could keep it. What is
// known by then is told.
func (w *partition) settle(fate client.Fate, err error) (int64, client.Fate, error) {
	const grace = time.Second
	w.retry.Reset(grace)
	defer w.retry.Stop()
	select {
	case r := <-w.reply:
		w.out = false
		d := delivery{unsure: fate == client.Unknown}
		done, base, failed := w.judge(&d, r)
		if done && failed == nil {
			return base, client.Stored, nil
		}
		return -1, d.fate(), err
	case <-w.retry.C:
		return -1, client.Unknown, err
	}
}

// pause waits before the next attempt: the backoff, doubled with each try.
func (w *partition) pause(tries int) error {
	const longest = time.Second
	w.retry.Reset(min(w.p.cfg.Backoff<<min(tries-1, 10), longest))
	defer w.retry.Stop()
	select {
	case <-w.retry.C:
		return nil
	case <-w.timer.C:
		return client.ErrDeadline
	case <-w.p.fence.cut:
		return errCut
	}
}

// late adds to the deadline's error what the attempts failed with.
func (w *partition) late(d *delivery, err error) error {
	if !errors.Is(err, client.ErrDeadline) {
		return err
	}
	if d.last == nil {
		return fmt.Errorf("%w: no answer within %s", err, w.p.cfg.DeliveryTimeout)
	}
	return fmt.Errorf("%w: not stored within %s, %d attempts failed, the last: %w", err, w.p.cfg.DeliveryTimeout, d.tries, d.last)
}

// explain says what was tried when a delivery failed.
func (w *partition) explain(err error) error {
	if errors.Is(err, errCut) {
		return err
	}
	return fmt.Errorf("write to partition %d of topic %s: %w", w.id, w.topic.name, err)
}
