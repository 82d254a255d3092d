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

	commitMu  sync.Mutex // held over a commit's check and its request
	refused   bool       // the last commit failed
	stop      chan struct{}
	committer sync.WaitGroup
	answered  time.Time // when the group last knew of us; the committer's own
}

func newSession(sub *subscription, s client.Session, p client.Producer, r *saramaclient.Reader) *session {
	return &session{sub: sub, s: s, producer: p, reader: r, claims: map[*Claim]struct{}{}, looking: make(chan struct{}, 1), stop: make(chan struct{}), answered: time.Now()}
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

// commitLast commits, again while a rejoin is crossed: a claim is told that it is
// revoked with the assignment that takes it away, a moment before the member has
// that assignment's generation.
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

// commitEvery commits until the session ends, and makes sure that it has not
// ended behind our back: sarama looks after the membership too, but a session
// that it ends because the member was evicted drains like any other, and its
// heartbeats wait as long as a rebalance may take.
func (s *session) commitEvery(interval time.Duration) {
	t := time.NewTicker(interval)
	defer t.Stop()
	ending := s.s.Context().Done()
	for {
		now := false
		select {
		case <-t.C:
		case <-ending:
			ending, now = nil, true // a rebalance, or an eviction?
		case <-s.stop:
			return
		}
		s.attend(now)
	}
}

// attend commits, or where nothing is to be committed and the last answer was
// long ago sends a heartbeat. Work goes on only while answers come: a member
// that is silent for the session timeout has lost its claims.
func (s *session) attend(now bool) {
	limit := s.sub.cfg.SessionTimeout
	if s.s.Rejoining() && s.s.Context().Err() == nil {
		s.answered = time.Now() // sarama waits for the group's answer, and ends the session if none comes
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(commitTimeout, max(limit-time.Since(s.answered), time.Millisecond)))
	defer cancel()
	sent, err := s.commit(ctx)
	if err == nil && !sent && (now || time.Since(s.answered) > limit/5) {
		sent, err = true, s.s.Heartbeat(ctx)
	}
	silent := time.Since(s.answered)
	switch {
	case err == nil && sent:
		s.answered = time.Now()
	case err == nil, errors.Is(err, client.ErrRejoining):
	case errors.Is(err, client.ErrStale):
		s.fail(err) // another member has the claims, and what is left here is a zombie's
	case silent >= limit:
		s.fail(fmt.Errorf("the coordinator has not answered for %v, longer than the session timeout: %w", silent.Round(time.Millisecond), err))
	default:
		s.sub.log.Warn("offsets were not committed; they will be with the next commit", "error", err)
	}
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
