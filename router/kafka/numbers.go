package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/penstock/penstock/internal/sabotage"
)

// openAtOnce is how many producers are made at a time.
const openAtOnce = 16

// assigned is what is called when the group has said which partitions the member has
// from now on. The producers of numbers that are new are made here, before anybody
// asks what is committed of them: while a transaction of the owner before is open,
// that is not told.
func (s *subscription) assigned(ctx context.Context) func(topics map[string][]int32) {
	return func(topics map[string][]int32) {
		if s.cfg.Transactions != nil {
			if err := s.openNumbers(ctx, topics); err != nil {
				s.report(fmt.Errorf("take over transactional ids: %w", err)) // the claim tries again, and fails with it
			}
		}
		if s.cfg.OnAssign != nil {
			s.cfg.OnAssign(topics)
		}
	}
}

func (s *subscription) openNumbers(ctx context.Context, topics map[string][]int32) error {
	wanted := map[int32]bool{}
	for _, partitions := range topics {
		for _, p := range partitions {
			wanted[p] = true
		}
	}
	var g errgroup.Group
	g.SetLimit(openAtOnce)
	for id := range wanted {
		if s.number(id) == nil {
			g.Go(func() error {
				_, err := s.needNumber(ctx, id)
				return err
			})
		}
	}
	return g.Wait()
}

func (s *subscription) number(id int32) *number {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers[id]
}

// needNumber returns the number, and makes it where there is none.
func (s *subscription) needNumber(ctx context.Context, id int32) (*number, error) {
	if n := s.number(id); n != nil {
		return n, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Transactions.Timeout)
	defer cancel()
	n, err := s.openNumber(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.numbers == nil {
		s.numbers = map[int32]*number{}
	}
	s.numbers[id] = n
	return n, nil
}

// joinNumber gives a claim to its number. Claims of one number may begin at the same
// time.
func (s *subscription) joinNumber(k *Claim) error {
	if s.cfg.Transactions == nil {
		return nil
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	for {
		n, err := s.needNumber(k.reading, k.Partition())
		if err != nil {
			return err
		}
		k.number = n
		if n.add(k) {
			return nil
		}
		s.forget(n) // its last claim has just left it
	}
}

// leaveNumber lets a claim go from its number, which ends with its last one.
func (s *subscription) leaveNumber(ctx context.Context, k *Claim) error {
	last, err := k.number.leave(ctx, k)
	if last {
		s.forget(k.number)
		k.number.close()
	}
	return err
}

func (s *subscription) forget(n *number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.numbers[n.id] == n {
		delete(s.numbers, n.id)
	}
}

// hastenNumbers has what is open end. The member joins again meanwhile: others have to
// wait for it before they are given what a dead member had.
func (s *subscription) hastenNumbers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.numbers {
		n.hasten()
	}
}

// closeNumbers ends those that are left.
func (s *subscription) closeNumbers() {
	s.mu.Lock()
	numbers := s.numbers
	s.numbers = nil
	s.mu.Unlock()
	for _, n := range numbers {
		n.close()
	}
}

// fenceNumbers keeps anything more from being stored.
func (s *subscription) fenceNumbers(cause error) {
	if sabotage.Broken(sabotage.Fences) {
		return
	}
	s.mu.Lock()
	numbers := slices.Collect(maps.Values(s.numbers))
	s.mu.Unlock()
	for _, n := range numbers {
		n.producer.Fence(cause)
	}
}

// failNumber fails the current session: the member joins again, and begins where its
// group is then.
func (s *subscription) failNumber(err error) {
	s.mu.Lock()
	sess := s.sess
	s.mu.Unlock()
	if sess == nil || errors.Is(err, context.Canceled) {
		return
	}
	sess.fail(err)
}
