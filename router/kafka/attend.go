package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// answers is when the group was heard of last. It is safe for concurrent use.
type answers struct {
	mu        sync.Mutex
	any       time.Time // a commit's, or a heartbeat's
	committed time.Time // or nothing was to be committed
}

func answersNow() answers { return answers{any: time.Now(), committed: time.Now()} }

func (a *answers) answered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.any = time.Now()
}

func (a *answers) stored() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.committed = time.Now()
}

// silent is how long ago that was, of any answer and of a commit's.
func (a *answers) silent() (silent, uncommitted time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Since(a.any), time.Since(a.committed)
}

// attend commits, and makes sure that the session has not ended behind our back, until
// it ends: sarama looks after the membership too, but a session that it ends because the
// member was evicted drains like any other, and its heartbeats wait as long as a
// rebalance may take.
//
// The two are apart, and on connections of their own: a coordinator that has much to do
// takes long for a commit, and is there all the same.
func (s *session) attend() {
	cfg := s.sub.cfg
	s.attending.Go(func() { s.every(cfg.CommitInterval, func(bool) { s.commitDue() }) })
	s.attending.Go(func() { s.every(min(cfg.CommitInterval, cfg.SessionTimeout/heartbeats), s.beatDue) })
}

// every calls f until the session is over, and once when it is about to end: that may
// be a rebalance, or an eviction.
func (s *session) every(interval time.Duration, f func(ending bool)) {
	t := time.NewTicker(interval)
	defer t.Stop()
	ending := s.s.Context().Done()
	for {
		now := false
		select {
		case <-t.C:
		case <-ending:
			ending, now = nil, true
		case <-s.over.Done():
			return
		}
		f(now)
	}
}

// handingOut tells that sarama waits for the group's answer; it ends the session if
// none comes.
func (s *session) handingOut() bool {
	waits := s.s.Rejoining() && s.s.Context().Err() == nil
	if waits {
		s.answers.answered()
	}
	return waits
}

// maxUncommitted is for how long commits may fail while the group answers heartbeats.
const maxUncommitted = time.Minute

// commitDue commits what has moved. Once the claims are to end, that is theirs where it
// has failed before: they would wait for this one too.
func (s *session) commitDue() {
	if s.handingOut() || s.s.Context().Err() != nil && s.wasRefused() {
		return
	}
	ctx, cancel := context.WithTimeout(s.over, commitTimeout)
	defer cancel()
	sent, err := s.commit(ctx)
	_, uncommitted := s.answers.silent()
	switch {
	case s.over.Err() != nil: // nobody waits for it
	case err == nil:
		s.answers.stored()
		if sent {
			s.answers.answered()
		}
	case errors.Is(err, client.ErrRejoining):
	case errors.Is(err, client.ErrStale):
		s.fail(err) // another member has the claims, and what is left here is a zombie's
	case uncommitted >= maxUncommitted:
		s.fail(fmt.Errorf("no offset could be committed for %v: %w", uncommitted.Round(time.Millisecond), err))
	default:
		s.sub.log.Warn("offsets were not committed; they will be with the next commit", "error", err)
	}
}

// beatDue sends a heartbeat where the last answer was long ago. Work goes on only while
// answers come: a member that is silent for the session timeout has lost its claims.
func (s *session) beatDue(ending bool) {
	limit := s.sub.cfg.SessionTimeout
	if s.handingOut() {
		return
	}
	silent, _ := s.answers.silent()
	if !ending && silent <= limit/5 {
		return
	}
	ctx, cancel := context.WithTimeout(s.over, max(limit-silent, time.Millisecond))
	defer cancel()
	err := s.s.Heartbeat(ctx)
	silent, _ = s.answers.silent()
	switch {
	case s.over.Err() != nil: // nobody waits for it
	case err == nil:
		s.answers.answered()
	case errors.Is(err, client.ErrRejoining):
	case errors.Is(err, client.ErrStale):
		s.fail(err) // another member has the claims, and what is left here is a zombie's
	case silent >= limit:
		s.fail(fmt.Errorf("the coordinator has not answered for %v, longer than the session timeout: %w", silent.Round(time.Millisecond), err))
	default:
		s.sub.log.Warn("a heartbeat was not answered; another one is sent", "error", err)
	}
}

func (s *session) wasRefused() bool {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	return s.refused
}
