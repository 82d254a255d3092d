package saramaclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/connect"
)

type session struct {
	group *Group
	s     sarama.ConsumerGroupSession
}

// Context implements client.Session.
func (s *session) Context() context.Context { return s.s.Context() }

// Claims implements client.Session.
func (s *session) Claims() map[string][]int32 { return s.s.Claims() }

// Pass implements client.Session.
func (s *session) Pass(ctx context.Context) error { return s.group.gate.pass(ctx) }

// Rejoining implements client.Session.
func (s *session) Rejoining() bool {
	// The gate opens when the assignment has come, and sarama takes the
	// generation over right after that.
	return s.group.gate.isShut.Load() || s.group.gate.generation.Load() > s.s.GenerationID()
}

// judge tells a commit or heartbeat that crossed a rejoin from one of a member
// that is none any more.
func (s *session) judge(m client.Membership, err error) error {
	if errors.Is(err, client.ErrStale) && s.s.Context().Err() == nil && (s.Rejoining() || s.s.GenerationID() != m.Generation) {
		return fmt.Errorf("%w: %v", client.ErrRejoining, err) //nolint:errorlint // it must not be taken for stale
	}
	return err
}

// Membership implements client.Session.
func (s *session) Membership() client.Membership {
	return client.Membership{
		Group:      s.group.cfg.Name,
		Member:     s.s.MemberID(),
		Instance:   s.group.cfg.Sarama.Consumer.Group.InstanceId,
		Generation: s.s.GenerationID(),
	}
}

// offsetCommitVersion is the newest one that names topics, not their ids.
const offsetCommitVersion = 8

// Commit implements client.Session.
func (s *session) Commit(ctx context.Context, offsets []client.Offset) error {
	m := s.Membership()
	req := &sarama.OffsetCommitRequest{
		Version:                 offsetCommitVersion,
		ConsumerGroup:           m.Group,
		ConsumerGroupGeneration: m.Generation,
		ConsumerID:              m.Member,
	}
	if m.Instance != "" {
		req.GroupInstanceId = &m.Instance
	}
	for _, o := range offsets {
		req.AddBlockWithLeaderEpoch(o.Topic, o.Partition, o.Offset, -1, 0, o.Metadata)
	}
	_, err := coordinator(ctx, s.group, func(b *sarama.Broker) (struct{}, error) {
		res, err := b.CommitOffset(req)
		if err != nil {
			return struct{}{}, err
		}
		for _, partitions := range res.Errors {
			for _, e := range partitions {
				if e != sarama.ErrNoError {
					return struct{}{}, e
				}
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("commit %d offsets of group %s: %w", len(offsets), m.Group, s.judge(m, err))
	}
	return nil
}

// heartbeatVersion is the newest one that sarama knows.
const heartbeatVersion = 4

// Heartbeat implements client.Session.
func (s *session) Heartbeat(ctx context.Context) error {
	m := s.Membership()
	req := &sarama.HeartbeatRequest{Version: heartbeatVersion, GroupId: m.Group, GenerationId: m.Generation, MemberId: m.Member}
	if m.Instance != "" {
		req.GroupInstanceId = &m.Instance
	}
	_, err := coordinator(ctx, s.group, func(b *sarama.Broker) (struct{}, error) {
		return struct{}{}, s.group.pulse.beat(b.Addr(), req)
	})
	if err != nil {
		return fmt.Errorf("send a heartbeat to group %s: %w", m.Group, s.judge(m, err))
	}
	return nil
}

// Committed implements client.Session.
func (s *session) Committed(ctx context.Context, topics map[string][]int32) ([]client.Offset, error) {
	name := s.group.cfg.Name
	out, err := coordinator(ctx, s.group, func(b *sarama.Broker) ([]client.Offset, error) {
		req := sarama.NewOffsetFetchRequest(s.group.cfg.Sarama.Version, name, topics)
		req.RequireStable = true
		res, err := b.FetchOffset(req)
		if err != nil {
			return nil, err
		}
		return readCommitted(res, name, topics)
	})
	if err != nil {
		return nil, fmt.Errorf("fetch committed offsets of group %s: %w", name, err)
	}
	return out, nil
}

func readCommitted(res *sarama.OffsetFetchResponse, group string, topics map[string][]int32) ([]client.Offset, error) {
	if res.Err != sarama.ErrNoError {
		return nil, res.Err
	}
	block := res.GetBlock
	for i := range res.Groups {
		if res.Groups[i].GroupId == group {
			if res.Groups[i].Err != sarama.ErrNoError {
				return nil, res.Groups[i].Err
			}
			block = res.Groups[i].GetBlock
		}
	}
	var out []client.Offset
	for topic, partitions := range topics {
		for _, p := range partitions {
			b := block(topic, p)
			if b == nil {
				return nil, fmt.Errorf("the coordinator's answer lacks %s/%d", topic, p)
			}
			if b.Err != sarama.ErrNoError {
				return nil, fmt.Errorf("%s/%d: %w", topic, p, b.Err)
			}
			out = append(out, client.Offset{Topic: topic, Partition: p, Offset: b.Offset, Metadata: b.Metadata})
		}
	}
	return out, nil
}

// coordinatorTries is how often a request is sent before its error counts: the
// coordinator moves when its broker stops, and the client learns it by asking.
const coordinatorTries = 5

// coordinator calls f with the group's coordinator, again after an error that
// passes. All requests made with it can be repeated.
func coordinator[T any](ctx context.Context, g *Group, f func(*sarama.Broker) (T, error)) (T, error) {
	c, backoff := g.cfg.Commits, g.cfg.Sarama.Metadata.Retry.Backoff
	var zero T
	var last error
	for try := range coordinatorTries {
		if try > 0 {
			if err := sleep(ctx, backoff<<(try-1)); err != nil {
				return zero, errors.Join(last, err)
			}
		}
		v, err := Aside(ctx, func() (T, error) {
			if try > 0 {
				if err := c.RefreshCoordinator(g.cfg.Name); err != nil {
					return zero, err
				}
			}
			b, err := c.Coordinator(g.cfg.Name)
			if err != nil {
				return zero, err
			}
			return f(b)
		})
		switch last = err; {
		case err == nil:
			return v, nil
		case stale(err):
			return zero, fmt.Errorf("%w: %w", client.ErrStale, err)
		case !passes(err), ctx.Err() != nil:
			return zero, err
		}
	}
	return zero, last
}

// stale tells the answers to a member that is no longer one.
func stale(err error) bool {
	return errors.Is(err, sarama.ErrIllegalGeneration) ||
		errors.Is(err, sarama.ErrUnknownMemberId) ||
		errors.Is(err, sarama.ErrFencedInstancedId) ||
		errors.Is(err, sarama.ErrRebalanceInProgress)
}

// passes tells the errors after which the same request can succeed. What is
// no answer of the broker is a connection's: it passes.
func passes(err error) bool {
	if errors.Is(err, connect.ErrCut) || errors.Is(err, sarama.ErrClosedClient) {
		return false // the member has left
	}
	var code sarama.KError
	if !errors.As(err, &code) {
		return true
	}
	switch code {
	case sarama.ErrNotCoordinatorForConsumer, sarama.ErrConsumerCoordinatorNotAvailable, sarama.ErrOffsetsLoadInProgress,
		sarama.ErrRequestTimedOut, sarama.ErrNetworkException, sarama.ErrUnknownTopicOrPartition, sarama.ErrUnstableOffsetCommit:
		return true
	default:
		return false
	}
}
