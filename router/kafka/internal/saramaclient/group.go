package saramaclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/penstock/penstock/router/kafka/internal/client"
)

// GroupConfig says which group to join and how.
type GroupConfig struct {
	// Brokers are the addresses to begin with. Required.
	Brokers []string
	// Sarama is the configuration of the member's connections. Required;
	// offsets must not be committed automatically by it.
	Sarama *sarama.Config
	// Commits is the client that offsets are fetched and committed with. It is
	// apart from the member's own, because a JoinGroup holds up all that is
	// behind it on its connection. Required; not closed here.
	Commits sarama.Client
	// Name is the consumer group. Required.
	Name string
	// Topics are what the group reads. Required.
	Topics []string
	// SkipLostTo is sarama.OffsetOldest or OffsetNewest where a claim whose
	// offset is not in the log any more is to go on there. Defaults to 0: the
	// membership ends with a *client.LostRangeError.
	SkipLostTo int64
	// OnSkip is told of each such claim. Required with SkipLostTo.
	OnSkip func(topic string, partition int32, from, to int64)
	// OnError is told of errors that sarama goes on from. Defaults to nothing.
	OnError func(error)
	// OnAssign is told of each assignment, also one that changes nothing for this
	// member. Defaults to nothing.
	OnAssign func(topics map[string][]int32)

	// OnRejoin is called before the member joins, the first time too; it must be quick.
	// Defaults to nothing.
	OnRejoin func()
}

// Group is one member of a consumer group. It owns partition numbers.
type Group struct {
	cfg   GroupConfig
	gate  *gate
	pulse *pulse

	serving atomic.Int64 // claims, also those that are revoked and drain

	mu     sync.Mutex
	claims map[*claim]struct{} // those that are served and not revoked
}

// NewGroup returns a member that has not joined yet.
func NewGroup(cfg GroupConfig) *Group {
	if cfg.OnError == nil {
		cfg.OnError = func(error) {}
	}
	if cfg.OnAssign == nil {
		cfg.OnAssign = func(map[string][]int32) {}
	}
	if cfg.OnRejoin == nil {
		cfg.OnRejoin = func() {}
	}
	g := &Group{cfg: cfg, gate: newGate(), pulse: newPulse(cfg.Commits.Config()), claims: map[*claim]struct{}{}}
	own := *cfg.Sarama
	own.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{&ownership{gate: g.gate, rejoins: cfg.OnRejoin, assigned: g.assigned}}
	g.cfg.Sarama = &own
	return g
}

// Run implements client.Group. It is called once.
func (g *Group) Run(ctx context.Context, h client.Handler) error {
	conn, err := Dial(ctx, g.cfg.Brokers, g.cfg.Sarama)
	if err != nil {
		return fmt.Errorf("join group %s: %w", g.cfg.Name, err)
	}
	defer func() { _ = conn.Close() }()
	defer g.pulse.close()
	// A refusal is told at once: sarama would take it for one that passes, and
	// say nothing for as long as it joins again and again.
	_, err = Aside(ctx, func() (*sarama.Broker, error) { return conn.Coordinator(g.cfg.Name) })
	if errors.Is(err, sarama.ErrGroupAuthorizationFailed) {
		return fmt.Errorf("join group %s: %w", g.cfg.Name, err)
	}
	member, err := sarama.NewConsumerGroupFromClient(g.cfg.Name, newMembership(conn))
	if err != nil {
		return fmt.Errorf("join group %s: %w", g.cfg.Name, err)
	}
	// A failure of one claim ends the membership, not only the session.
	asked := ctx // ends when the member is to leave
	ctx, fail := context.WithCancelCause(context.WithoutCancel(asked))
	defer fail(nil)
	ahead := newFetcher(g.cfg.Commits, g.cfg.Sarama, g.cfg.OnError)
	defer ahead.close()
	adapted := &handler{group: g, conn: g.cfg.Commits, idle: member.Pause, fetcher: ahead, h: h, fail: fail}
	var watch sync.WaitGroup
	watch.Go(func() { g.watch(member.Errors()) })
	watch.Go(func() {
		select {
		case <-asked.Done():
			adapted.awaitRejoined(ctx, g.cfg.Sarama.Consumer.Group.Session.Timeout)
			fail(context.Cause(asked))
		case <-ctx.Done():
		}
	})
	left := make(chan struct{})
	watch.Go(func() { g.hangUp(ctx, left, conn, g.cfg.Sarama.Consumer.Group.Session.Timeout) })
	runErr := g.sessions(ctx, member, adapted)
	fail(nil)                  // nobody waits any more
	closeErr := member.Close() // leaves the group
	close(left)
	watch.Wait()
	// The failure of a claim may well be a time-out: it is told from an end of
	// the caller's context by who ended ours.
	if cause := context.Cause(ctx); runErr == nil && cause != context.Cause(asked) { //nolint:errorlint // the very same
		runErr = cause
	}
	if runErr == nil && closeErr != nil {
		runErr = fmt.Errorf("leave group %s: %w", g.cfg.Name, closeErr)
	}
	return runErr
}

// sessions joins again after each session. A rebalance changes a session's
// claims and does not end it; a lost membership does.
func (g *Group) sessions(ctx context.Context, member sarama.ConsumerGroup, h sarama.ConsumerGroupHandler) error {
	for ctx.Err() == nil {
		if err := member.Consume(ctx, g.cfg.Topics, h); err != nil && ctx.Err() == nil {
			return fmt.Errorf("consume %v in group %s: %w", g.cfg.Topics, g.cfg.Name, err)
		}
	}
	return nil
}

// watch tells of what sarama goes on from.
func (g *Group) watch(errs <-chan error) {
	for err := range errs {
		var ce *sarama.ConsumerError
		if errors.As(err, &ce) && errors.Is(err, sarama.ErrNotConnected) {
			continue // it has tried to fetch before its claim was told to be idle
		}
		g.cfg.OnError(err)
	}
}

// handler adapts client.Handler to sarama's.
type handler struct {
	group *Group
	conn  sarama.Client // of look-ups
	h     client.Handler
	fail  context.CancelCauseFunc

	fetcher *fetcher
	idle    func(partitions map[string][]int32) // keeps sarama from looking for something to fetch

	mu      sync.Mutex
	current *session
}

// Setup implements sarama.ConsumerGroupHandler.
func (h *handler) Setup(s sarama.ConsumerGroupSession) error {
	sess := &session{group: h.group, s: s}
	h.mu.Lock()
	h.current = sess
	h.mu.Unlock()
	err := h.group.skipLost(h.conn, s, func(topic string, partition int32) (int64, error) {
		offsets, err := sess.Committed(s.Context(), map[string][]int32{topic: {partition}})
		if err != nil {
			return 0, err
		}
		return offsets[0].Offset, nil
	})
	if err == nil {
		err = h.h.Begin(s.Context(), sess)
	}
	if err != nil {
		if s.Context().Err() == nil {
			h.fail(err)
		}
		return err
	}
	return nil
}

// ConsumeClaim implements sarama.ConsumerGroupHandler.
func (h *handler) ConsumeClaim(_ sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	h.mu.Lock()
	sess := h.current
	h.mu.Unlock()
	h.group.serving.Add(1)
	defer h.group.serving.Add(-1)
	h.idle(map[string][]int32{c.Topic(): {c.Partition()}})
	served := &claim{s: sess.s, c: c, conn: h.conn, revoked: make(chan struct{}), gate: h.group.gate, fetcher: h.fetcher}
	defer served.close()
	h.group.serve(served)
	defer h.group.forget(served)
	if err := h.h.Claim(sess, served); err != nil {
		h.fail(err)
	}
	return nil
}

func (g *Group) serve(c *claim) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.claims[c] = struct{}{}
}

func (g *Group) forget(c *claim) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.claims, c)
}

// assigned tells the claims that are not among what the member has from now on.
// sarama closes their channels of messages right after this, which only those
// see who have read all that is in them.
func (g *Group) assigned(topics map[string][]int32, generation int32) {
	g.cfg.OnAssign(topics)
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.claims {
		if !slices.Contains(topics[c.Topic()], c.Partition()) {
			c.frozen.Store(generation)
			close(c.revoked)
			delete(g.claims, c)
		}
	}
}

// Cleanup implements sarama.ConsumerGroupHandler. sarama also calls it after a
// failed Setup.
func (h *handler) Cleanup(sarama.ConsumerGroupSession) error {
	h.mu.Lock()
	sess := h.current
	h.current = nil
	h.mu.Unlock()
	if sess == nil {
		return nil
	}
	if err := h.h.End(sess); err != nil {
		h.fail(err)
	}
	return nil
}
