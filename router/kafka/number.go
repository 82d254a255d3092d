package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/penstock/penstock/internal/sabotage"
	"github.com/penstock/penstock/router/kafka/internal/client"
)

// number is what a member that works exactly once has of one partition number: a
// transactional producer, and the claims, one a topic, whose outputs and offsets go
// into its transactions. A goroutine of its own has the producer:
//
//	something is released, or sent  → a transaction begins, the outputs are enqueued
//	more comes                      → into the same transaction
//	its time, or its bound, or somebody waits for it
//	                                → the offsets of all claims are added, and it ends
//	it has ended                    → ledger entries close, and who waits is told
//
// While it ends nothing is enqueued: what comes then would be in it without its
// offset. Lanes and readers go on meanwhile.
//
// While the member joins again, what is open ends and nothing begins until the new
// generation is known. An offset that comes too late for the old one is refused, and is
// added again with the new one. Those of a member that is none any more are refused for
// good, also by the transactional id, which whoever has the number next takes over.
// After any error the whole membership begins anew, with what is committed then: so it
// does not matter whether an end that was not answered has come about.
type number struct {
	id       int32
	sub      *subscription
	cfg      TransactionsConfig
	producer client.Transactions

	ctx    context.Context //nolint:containedctx // ends with the number
	cancel context.CancelFunc
	ended  chan struct{}
	woken  chan struct{}

	mu      sync.Mutex
	claims  []*Claim
	sends   []*send
	hurry   bool            // somebody waits for the transaction's end
	waiting []chan struct{} // each is closed when no transaction is open
	idle    bool            // none is, and none begins before the member has joined
	over    bool            // the last claim has left

	// Of the transaction, which the goroutine begins and ends. What is ready may be
	// put into it by others too, see pass.
	txn      sync.Mutex
	open     bool // changed by the goroutine only
	hurried  bool // somebody waits for its end
	held     bool // something is to follow what was placed last
	begun    time.Time
	due      time.Time // when it ends, unless it is full before
	pace     pace
	messages int64
	bytes    int64
	taken    map[*Claim]taken
	receipts []*receipt
	outs     []heldOutput
	byTopic  map[string][]client.Output
}

// taken is what a transaction has of a claim.
type taken struct {
	next  int64 // the first entry that is not in it
	bytes int64 // of the outputs
}

// send is one call of Claim.Send.
type send struct {
	receipt *receipt
	topics  []*topicOutputs
}

// openNumber makes the producer of a number, which aborts what another owner has left
// open and refuses what that one still sends.
func (s *subscription) openNumber(ctx context.Context, id int32) (*number, error) {
	n := &number{
		id: id, sub: s, cfg: *s.cfg.Transactions, ended: make(chan struct{}), woken: make(chan struct{}, 1),
		taken: map[*Claim]taken{}, byTopic: map[string][]client.Output{},
	}
	p, err := newTransactional(ctx, s.conn, s.outputs, s.cfg, s.transactionalID(id), s.told, s.onFence, s.log)
	if err != nil {
		return nil, fmt.Errorf("partition number %d: %w", id, err)
	}
	n.producer = p
	n.ctx, n.cancel = context.WithCancel(context.Background())
	go n.run()
	return n, nil
}

// transactionalID is the id of a number's producer, which each owner of it has.
func (s *subscription) transactionalID(number int32) string {
	id := fmt.Sprintf("%s-%d", s.cfg.Group, number)
	if sabotage.Broken(sabotage.Fences) {
		id += "-" + rand.Text()
	}
	return id
}

// add takes up a claim, unless the number's last one has left it.
func (n *number) add(k *Claim) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return false
	}
	n.claims = append(slices.Clone(n.claims), k) // the goroutine may be going through them
	return true
}

// leave lets a claim go when nothing of it is left to commit, or ctx ends. It reports
// whether it was the last one.
func (n *number) leave(ctx context.Context, k *Claim) (last bool, err error) {
	for n.isBehind(k) && ctx.Err() == nil && n.ctx.Err() == nil && k.ctx.Err() == nil {
		n.finish(ctx)
		if n.isBehind(k) {
			select {
			case <-time.After(rejoinPause):
			case <-ctx.Done():
				err = fmt.Errorf("commit %s/%d: %w", k.Topic(), k.Partition(), context.Cause(ctx))
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.claims = slices.DeleteFunc(slices.Clone(n.claims), func(c *Claim) bool { return c == k })
	n.over = len(n.claims) == 0
	return n.over, err
}

// isBehind tells whether something of a claim is to be committed.
func (n *number) isBehind(k *Claim) bool {
	if k.release.isReady() {
		return true
	}
	n.mu.Lock()
	sends := slices.ContainsFunc(n.sends, func(s *send) bool { return s.receipt.claim == k })
	n.mu.Unlock()
	return sends || k.isDue()
}

// isDue tells whether something other than outputs is to be committed.
func (k *Claim) isDue() bool {
	k.sess.commitMu.Lock()
	defer k.sess.commitMu.Unlock()
	_, _, due := k.due()
	return due
}

// wake has the goroutine look what there is.
func (n *number) wake() {
	select {
	case n.woken <- struct{}{}:
	default:
	}
}

// hasten ends the transaction soon, or begins one for what is due.
func (n *number) hasten() {
	n.mu.Lock()
	n.hurry = true
	n.mu.Unlock()
	n.wake()
}

// finish has the transaction end, and waits until none is open.
func (n *number) finish(ctx context.Context) {
	closed := make(chan struct{})
	n.mu.Lock()
	if n.idle {
		n.mu.Unlock()
		return
	}
	n.hurry = true
	n.waiting = append(n.waiting, closed)
	n.mu.Unlock()
	n.wake()
	select {
	case <-closed:
	case <-n.ended:
	case <-ctx.Done():
	}
}

// send has outputs be in one transaction, all of them or none.
func (n *number) send(s *send) {
	n.mu.Lock()
	n.sends = append(n.sends, s)
	n.hurry = n.hurry || !s.receipt.early // nobody waits for the end of what is only placed
	n.mu.Unlock()
	n.wake()
}

// close ends the goroutine and the producer. What is open is aborted by whoever has
// the number next.
func (n *number) close() {
	n.cancel()
	<-n.ended
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := n.producer.Close(ctx); err != nil && !errors.Is(err, client.ErrFenced) {
		n.sub.log.Debug("a transactional producer was closed", "number", n.id, "error", err)
	}
}

// run is the goroutine.
func (n *number) run() {
	defer close(n.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for n.ctx.Err() == nil {
		if err := n.step(); err != nil {
			n.sub.failNumber(fmt.Errorf("partition number %d: %w", n.id, err))
			return
		}
		if n.open {
			timer.Reset(time.Until(n.due))
		} else {
			timer.Stop()
		}
		select {
		case <-n.woken:
		case <-timer.C:
		case <-n.ctx.Done():
		}
	}
}

// step does what there is to do now.
func (n *number) step() error {
	for n.ctx.Err() == nil {
		barred := n.isBarred()
		if barred && !n.open {
			if n.awaitJoined() != nil {
				return nil //nolint:nilerr // the number ends
			}
		}
		if again, err := n.goOn(barred); !again || err != nil {
			return err
		}
	}
	return nil
}

// goOn adds to the transaction, and ends it where it is time for that.
func (n *number) goOn(barred bool) (again bool, err error) {
	n.txn.Lock()
	defer n.txn.Unlock()
	if !barred || !n.open {
		if again, err = n.enqueue(); err != nil {
			return false, err
		}
	}
	ended, err := n.endIfDue(barred)
	return again || ended, err
}

// isBarred tells whether the member is joining again.
func (n *number) isBarred() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.claims) > 0 && n.claims[0].sess.s.Rejoining() && n.claims[0].sess.s.Context().Err() == nil
}

// awaitJoined waits until the member has its new generation.
func (n *number) awaitJoined() error {
	n.mu.Lock()
	if len(n.claims) == 0 {
		n.mu.Unlock()
		return nil
	}
	s := n.claims[0].sess.s
	n.idle = true
	n.mu.Unlock()
	n.tellWaiting()
	err := s.Pass(n.ctx)
	n.mu.Lock()
	n.idle = false
	n.mu.Unlock()
	return err
}
