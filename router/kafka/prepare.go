package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/saramaclient"
)

// look fetches in one request what is committed of the claims that are to begin.
func (s *session) look(ctx context.Context) error {
	claims := s.toBegin()
	if len(claims) == 0 {
		return nil
	}
	generation := s.s.Membership().Generation
	found, err := s.s.Committed(ctx, claims)
	if err != nil {
		return err
	}
	s.lookedAt = generation
	s.positions = map[string]map[int32]client.Offset{}
	for _, o := range found {
		if s.positions[o.Topic] == nil {
			s.positions[o.Topic] = map[int32]client.Offset{}
		}
		s.positions[o.Topic][o.Partition] = o
	}
	return nil
}

// toBegin lists the session's claims but those that know where they begin. They go on:
// their transactions end all the time, and of offsets that are on their way nobody is
// told anything before they are committed.
func (s *session) toBegin() map[string][]int32 {
	claims := maps.Clone(s.s.Claims())
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.claims {
		if !k.pos.isKnown() {
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(claims[k.Topic()]), func(p int32) bool { return p == k.Partition() })
		if claims[k.Topic()] = rest; len(rest) == 0 {
			delete(claims, k.Topic())
		}
	}
	return claims
}

// position is what is committed of a claim that begins. What was found holds in
// the generation that it was looked up in only: a partition that came later, or
// went and came back, may have been another member's in between. The first of
// the claims that begin with a generation looks for all: one by one they would
// wait for each other's answers.
func (s *session) position(ctx context.Context, c client.Claim) (client.Offset, error) {
	select {
	case s.looking <- struct{}{}:
		defer func() { <-s.looking }()
	case <-ctx.Done():
		return client.Offset{}, context.Cause(ctx)
	}
	if s.s.Membership().Generation != s.lookedAt {
		if err := s.look(ctx); err != nil {
			return client.Offset{}, err
		}
	}
	if o, ok := s.positions[c.Topic()][c.Partition()]; ok {
		return o, nil
	}
	found, err := s.s.Committed(ctx, map[string][]int32{c.Topic(): {c.Partition()}})
	if err != nil {
		return client.Offset{}, err
	}
	return found[0], nil
}

// prepare finds out where the claim begins and calls OnClaim. An end of the claim
// meanwhile is no error.
func (k *Claim) prepare() error {
	err := k.locate()
	if f := k.sess.sub.cfg.OnClaim; err == nil && f != nil {
		_, err = saramaclient.Aside(k.ctx, func() (struct{}, error) { return struct{}{}, f(k.reading, k) })
	}
	if err == nil || k.reading.Err() != nil {
		return nil //nolint:nilerr // drain says whether the end of the claim is an error
	}
	return fmt.Errorf("begin the claim of %s/%d: %w", k.Topic(), k.Partition(), err)
}

func (k *Claim) locate() error {
	o, err := k.sess.position(k.reading, k.c)
	if err != nil {
		return err
	}
	start, err := k.c.Start(k.reading)
	if err != nil {
		return err
	}
	k.pos.begin(start, o.Metadata)
	return nil
}
