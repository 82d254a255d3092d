package router_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/filters"
	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/pipeline"
	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func openPoison(t testing.TB, addrs []string) *router.PoisonLog {
	t.Helper()
	log, err := router.OpenPoison(t.Context(), router.PoisonConfig{
		Kafka: kafka.Config{Brokers: addrs}, Stage: "laned.work", By: "ada@desk", Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close()) })
	return log
}

// statesOf are the states of all messages, by position.
func statesOf(t testing.TB, log *router.PoisonLog) map[string]router.PoisonState {
	t.Helper()
	states := map[string]router.PoisonState{}
	_, err := log.Messages(t.Context(), router.PoisonSelection{All: true}, func(m *router.PoisonMessage) error {
		states[m.Position.String()] = m.State
		return nil
	})
	require.NoError(t, err)
	return states
}

func at(offset int64) *router.PoisonPosition { return &router.PoisonPosition{Offset: offset} }

// failing is a stage that rejects what begins with "bad" until it is told not to.
func failing(accept *atomic.Bool, opts ...pipeline.Option[[]byte]) *pipeline.Pipeline {
	return laned(func(_ context.Context, m *pipeline.Message[[]byte]) error {
		if strings.HasPrefix(string(m.Body), "bad") && !accept.Load() {
			return filters.Rejectf("order %s of %q is wrong", m.Body[3:], m.Key)
		}
		return nil
	}, opts...)
}

func values(records []brokertest.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return all
}

func bad(values ...string) []brokertest.Record {
	var records []brokertest.Record
	for i, v := range values {
		records = append(records, brokertest.Record{Key: fmt.Appendf(nil, "k%d", i), Value: []byte(v)})
	}
	return records
}

func TestAReplayThatFailsAgainKeepsItsHistory(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var tries atomic.Int32
	p := laned(func(context.Context, *pipeline.Message[[]byte]) error {
		return fmt.Errorf("try %d: %w", tries.Add(1), errBoom)
	}, pipeline.Retry(2, pipeline.Constant(0)))
	r := start(t, addrs, p, router.Config{})
	brokertest.Produce(t, addrs, "laned.in", brokertest.Record{Value: []byte("other")}, brokertest.Record{Key: []byte("k"), Value: []byte("v"), Headers: []brokertest.Header{{Key: "h", Value: []byte("x")}}})
	r.drained()
	log := openPoison(t, addrs)
	_, err := log.Drop(t.Context(), router.PoisonSelection{Position: at(0)}, router.PoisonDropOptions{})
	require.NoError(t, err)
	var m *router.PoisonMessage
	newest := func(replays int) bool {
		var open []router.PoisonMessage
		_, err := log.Messages(t.Context(), router.PoisonSelection{}, func(m *router.PoisonMessage) error {
			open = append(open, *m)
			return nil
		})
		require.NoError(t, err)
		if len(open) != 1 || open[0].Replays != replays {
			return false
		}
		m = &open[0]
		return true
	}
	require.True(t, newest(0))
	first := *m
	require.Equal(t, topicID(t, addrs, "laned.in"), first.TopicID)
	for i := range 3 {
		result, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{})
		require.NoError(t, err)
		require.Equal(t, 1, result.Done)
		require.Eventually(t, func() bool { return newest(i + 1) }, waitFor, tick)
		want := first.Poisoned
		want.Replays, want.Attempts, want.At = i+1, 2*(i+2), m.At
		want.LastError = fmt.Sprintf("try %d: boom", 2*(i+3))
		require.Equal(t, want, m.Poisoned)
	}
	_, history, err := log.Message(t.Context(), m.Position)
	require.NoError(t, err)
	var replays []int
	actions := 0
	for _, e := range history {
		if e.Action != nil {
			require.Equal(t, router.PoisonReplay, e.Action.Kind)
			actions++
		} else {
			replays = append(replays, e.Poisoned.Replays)
		}
	}
	require.Equal(t, []int{0, 1, 2, 3}, replays)
	require.Equal(t, 3, actions)
}

var errStop = errors.New("stop")

func TestAReplayIsStoredBeforeItIsRecorded(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	r := start(t, addrs, failing(&accept), router.Config{})
	brokertest.Produce(t, addrs, "laned.in", bad("bad")...)
	r.drained()
	r.stop()

	// The crash in between: the retry log has it, the poison topic does not.
	log := openPoison(t, addrs)
	var sent []string
	log.BeforeSend(func(outs []kafka.Output) error {
		sent = append(sent, outs[0].Topic)
		if len(sent) == 2 {
			return errStop
		}
		return nil
	})
	_, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{})
	require.ErrorIs(t, err, errStop)
	require.Equal(t, []string{"laned.work.retry.in", "laned.work.poison"}, sent)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.poison"), 1)
	require.Equal(t, router.PoisonReplayed, statesOf(t, log)["0"], "it is pending")

	// Asking again mends the record, and adds nothing to the log.
	logged := len(brokertest.ReadAll(t, addrs, "laned.work.retry.in"))
	log = openPoison(t, addrs)
	result, err := log.Replay(t.Context(), router.PoisonSelection{Position: at(0)}, router.PoisonReplayOptions{})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Pending: 1}, result)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.retry.in"), logged)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.poison"), 2)
	_, err = log.Replay(t.Context(), router.PoisonSelection{Position: at(0)}, router.PoisonReplayOptions{})
	require.NoError(t, err)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.poison"), 2, "recorded once")

	// A failure of the first send records nothing.
	accept.Store(true)
	r = start(t, addrs, failing(&accept), router.Config{})
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) == 1 }, waitFor, tick)
	log.BeforeSend(func([]kafka.Output) error { return errStop })
	_, err = log.Replay(t.Context(), router.PoisonSelection{All: true}, router.PoisonReplayOptions{})
	require.ErrorIs(t, err, errStop)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.poison"), 2)
	r.drained()
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work"), 1)
}

func TestGroupsAreOfOneSignature(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	r := start(t, addrs, failing(&accept), router.Config{})
	brokertest.Produce(t, addrs, "laned.in", bad("bad17", "bad23", "badly", "bad99")...)
	r.drained()
	log := openPoison(t, addrs)
	groups, others, err := log.Groups(t.Context(), router.PoisonSelection{})
	require.NoError(t, err)
	require.Zero(t, others)
	require.Len(t, groups, 2)
	require.Equal(t, 3, groups[0].Count)
	require.Equal(t, "order # of … is wrong", groups[0].Signature)
	require.Equal(t, router.PoisonGroupID("laned.work", groups[0].Signature), groups[0].ID)
	require.EqualValues(t, 3, groups[0].Example.Offset)
	require.Equal(t, `order 99 of "k3" is wrong`, groups[0].Error)
	require.Equal(t, "order ly of … is wrong", groups[1].Signature)

	before := len(brokertest.ReadAll(t, addrs, "laned.work.retry.in"))
	dry, err := log.Replay(t.Context(), router.PoisonSelection{Group: groups[0].ID}, router.PoisonReplayOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Done: 3}, dry)
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.retry.in"), before, "a dry run changes nothing")
	require.Len(t, brokertest.ReadAll(t, addrs, "laned.work.poison"), 4)

	accept.Store(true)
	result, err := log.Replay(t.Context(), router.PoisonSelection{Group: groups[0].ID}, router.PoisonReplayOptions{})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Done: 3}, result)
	require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) == 3 }, waitFor, tick)
	r.drained()
	require.ElementsMatch(t, []string{"bad17", "bad23", "bad99"}, values(brokertest.ReadAll(t, addrs, "laned.work")))
	require.Equal(t, map[string]router.PoisonState{"0": "replayed", "1": "replayed", "2": "open", "3": "replayed"}, statesOf(t, log))

	result, err = log.Drop(t.Context(), router.PoisonSelection{}, router.PoisonDropOptions{Reason: "not ours"})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Done: 1}, result)
	groups, _, err = log.Groups(t.Context(), router.PoisonSelection{})
	require.NoError(t, err)
	require.Empty(t, groups)
	m, history, err := log.Message(t.Context(), *at(2))
	require.NoError(t, err)
	require.Equal(t, router.PoisonDropped, m.State)
	require.Equal(t, "not ours", history[1].Action.Reason)
	require.Equal(t, "ada@desk", history[1].Action.By)
	require.WithinDuration(t, time.Now(), history[1].Action.At, time.Minute)
	result, err = log.Drop(t.Context(), router.PoisonSelection{Position: at(2)}, router.PoisonDropOptions{})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Closed: 1}, result)
	_, err = log.Drop(t.Context(), router.PoisonSelection{Position: at(77)}, router.PoisonDropOptions{})
	require.ErrorIs(t, err, router.ErrNotPoisoned)
}

func TestAHeldMessageIsReplayedOrDropped(t *testing.T) {
	t.Parallel()
	for _, drop := range []bool{true, false} {
		addrs := brokertest.New(t).Addrs()
		var accept atomic.Bool
		p := failing(&accept, holding()...)
		r := start(t, addrs, p, router.Config{})
		key := []byte("k")
		brokertest.Produce(t, addrs, "laned.in", brokertest.Record{Key: key, Value: []byte("bad")}, brokertest.Record{Key: key, Value: []byte("behind")})
		r.drained()
		require.Empty(t, brokertest.ReadAll(t, addrs, "laned.work"))
		log := openPoison(t, addrs)
		require.Equal(t, router.PoisonHeld, statesOf(t, log)["0"])
		want := []string{"behind"}
		var result router.PoisonResult
		var err error
		if drop {
			result, err = log.Drop(t.Context(), router.PoisonSelection{}, router.PoisonDropOptions{})
		} else {
			accept.Store(true)
			want = []string{"bad", "behind"}
			result, err = log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{})
		}
		require.NoError(t, err)
		require.Equal(t, router.PoisonResult{Done: 1, Released: 1}, result)
		require.Eventually(t, func() bool { return len(brokertest.ReadAll(t, addrs, "laned.work")) == len(want) }, waitFor, tick)
		r.drained()
		require.Equal(t, want, values(brokertest.ReadAll(t, addrs, "laned.work")))
		require.False(t, statesOf(t, log)["0"].IsOpen())
		requireFolded(t, addrs, r, "laned.in", "laned.work.retry.in")
	}
}

// A replay that fails again and holds its key can be replayed and dropped as the
// first one.
func TestAReplayThatIsHeldAgainIsTheOneThatIsOpen(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	r := start(t, addrs, failing(&accept, holding()...), router.Config{})
	brokertest.Produce(t, addrs, "laned.in", bad("bad")...)
	r.drained()
	log := openPoison(t, addrs)
	_, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{})
	require.NoError(t, err)
	// The new record and the action may stand in either order.
	require.Eventually(t, func() bool {
		return slices.Equal([]router.PoisonState{"held", "replayed"}, slices.Sorted(maps.Values(statesOf(t, log))))
	}, waitFor, tick)
	require.Equal(t, router.PoisonReplayed, statesOf(t, log)["0"])
	result, err := log.Drop(t.Context(), router.PoisonSelection{}, router.PoisonDropOptions{})
	require.NoError(t, err)
	require.Equal(t, router.PoisonResult{Done: 1, Released: 1}, result)
	require.Eventually(t, func() bool { return r.Status().Stages[0].ParkedNow.Messages == 0 }, waitFor, tick)
	require.Equal(t, []router.PoisonState{"dropped", "replayed"}, slices.Sorted(maps.Values(statesOf(t, log))))
}

func TestAReplayGoesInBatchesOfATenthOfASecond(t *testing.T) {
	t.Parallel()
	addrs := brokertest.New(t).Addrs()
	var accept atomic.Bool
	r := start(t, addrs, failing(&accept), router.Config{})
	brokertest.Produce(t, addrs, "laned.in", bad("bad1", "bad2", "bad3", "bad4", "bad5")...)
	r.drained()
	accept.Store(true)
	log := openPoison(t, addrs)
	var steps []int
	_, err := log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{
		Rate: 20, Progress: func(r router.PoisonResult) { steps = append(steps, r.Done) },
	})
	require.NoError(t, err)
	require.Equal(t, []int{2, 4, 5}, steps)
	_, err = log.Replay(t.Context(), router.PoisonSelection{}, router.PoisonReplayOptions{Rate: -1})
	require.ErrorContains(t, err, "the rate is -1")
}

func TestARateIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		wait := router.PoisonPace(4)
		for range 9 {
			require.NoError(t, wait(t.Context(), 1))
		}
		require.Equal(t, 2*time.Second, time.Since(begin))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errStop)
		require.ErrorIs(t, wait(ctx, 1), errStop)
	})
}
