package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// session is what a member has between joining and leaving or rejoining: its
// claims, the producer their outputs go to, and the one place that commits.
type session struct {
	sub      *subscription
	s        client.Session
	producer client.Producer
	reader   *saramaclient.Reader // of what claims read beside their partitions

	mu     sync.Mutex
	claims map[*Claim]struct{}
	failed error

	looking   chan struct{}                      // a place for who looks up positions; guards both
	lookedAt  int32                              // the generation that they were looked up in
	positions map[string]map[int32]client.Offset // what was committed then

	commitMu sync.Mutex // held over a commit's check and its request
	refused  bool       // the last commit failed

	attending sync.WaitGroup // who commits, and who sends heartbeats
	answers   answers

	// over ends when the session has failed, or its claims are released: what attends
	// to it does not wait for answers any more.
	over context.Context //nolint:containedctx // see above
	end  context.CancelFunc
}

func newSession(sub *subscription, s client.Session, p client.Producer, r *saramaclient.Reader) *session {
	sess := &session{sub: sub, s: s, producer: p, reader: r, claims: map[*Claim]struct{}{}, looking: make(chan struct{}, 1), answers: answersNow()}
	sess.over, sess.end = context.WithCancel(context.Background())
	return sess
}

// add takes up a claim, unless the session has failed meanwhile.
func (s *session) add(k *Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	s.claims[k] = struct{}{}
	return nil
}

// release commits the last watermark of a claim and lets it go. Under the
// commit lock: a commit that is under way when the claim ends has been
// answered before the partition can go to another member, and none begins
// after it.
func (s *session) release(ctx context.Context, k *Claim) error {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	s.mu.Lock()
	failed := s.failed != nil
	s.mu.Unlock()
	var err error
	if k.number != nil {
		s.commitMu.Unlock() // the number takes it for each commit
		err = s.sub.leaveNumber(ctx, k)
		s.commitMu.Lock()
	} else if !failed || !s.refused { // else many claims would wait for the same coordinator, one after the other
		err = s.commitLast(ctx)
	}
	k.ledger.kill()
	k.out.end()
	s.mu.Lock()
	delete(s.claims, k)
	s.mu.Unlock()
	return err
}

// rejoinPause is how long a commit waits that crossed a rejoin.
const rejoinPause = 5 * time.Millisecond

// commitLast commits before a claim ends, again while a rejoin is crossed: a claim is
// told that it is revoked with the assignment that takes it away, a moment before the
// member has that assignment's generation.
func (s *session) commitLast(ctx context.Context) error {
	for {
		_, err := s.commitLocked(ctx)
		if !errors.Is(err, client.ErrRejoining) {
			return err
		}
		select {
		case <-time.After(rejoinPause):
		case <-ctx.Done():
			return err
		}
	}
}

// fail gives up the work of all claims: their contexts end, and the producer
// is fenced, so that nothing is stored of them any more. The member joins
// again and reads from the watermarks.
func (s *session) fail(err error) {
	s.mu.Lock()
	if s.failed != nil {
		s.mu.Unlock()
		return
	}
	s.failed = err
	claims := s.list()
	s.mu.Unlock()
	s.end()
	if s.producer != nil {
		s.producer.Fence(err)
	}
	s.sub.fenceNumbers(err)
	for _, k := range claims {
		k.cancel(fmt.Errorf("%w: %w", ErrClaimLost, err))
	}
}

// list returns the claims. The caller holds the lock.
func (s *session) list() []*Claim {
	claims := make([]*Claim, 0, len(s.claims))
	for k := range s.claims {
		claims = append(claims, k)
	}
	return claims
}

// commit stores the watermarks that have moved. It reports whether there were
// any.
func (s *session) commit(ctx context.Context) (sent bool, err error) {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	return s.commitLocked(ctx)
}

func (s *session) commitLocked(ctx context.Context) (sent bool, err error) {
	s.mu.Lock()
	claims := s.list()
	s.mu.Unlock()
	var moved []*Claim
	var offsets []client.Offset
	var versions []int64
	for _, k := range claims {
		if o, version, due := k.due(); due {
			if k.number != nil { // it goes with a transaction
				k.number.hasten()
				continue
			}
			moved, offsets, versions = append(moved, k), append(offsets, o), append(versions, version)
		}
	}
	if len(offsets) == 0 {
		return false, nil
	}
	err = s.s.Commit(ctx, offsets)
	if s.refused = err != nil; s.refused {
		return true, err
	}
	for i, k := range moved {
		k.moved(offsets[i].Offset, versions[i])
	}
	return true, nil
}
