package produce_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/penstock/penstock/router/kafka/internal/client"
	"github.com/penstock/penstock/router/kafka/internal/produce"
)

// scene is what a fault of the order tests has at hand.
type scene struct {
	cluster *kfake.Cluster
	wire    *wire
	stream  *stream
	p       *produce.Producer
}

// fault makes a fault happen and returns when it has.
type fault func(t *testing.T, s scene)

// answers lets the brokers answer n produce requests with an error.
func answers(err *kerr.Error, n int, ids ...int32) fault {
	return func(t *testing.T, s scene) {
		t.Helper()
		h := s.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: ids, Err: err, Count: n})
		require.NoError(t, h.Wait(within(t), n))
		h.Remove()
	}
}

// onWire hurts the connections so many times.
func onWire(mode wireMode, every, times int64) fault {
	return func(t *testing.T, s scene) {
		t.Helper()
		s.wire.every = every
		s.wire.set(mode)
		require.Eventually(t, func() bool { return s.wire.hits.Load() >= times }, patience, time.Millisecond)
		s.wire.set(wireFine)
	}
}

// leaderless makes the leader of partition 0 refuse, and metadata requests
// fail, until both have happened several times.
func leaderless(metadata *kerr.Error) fault {
	return func(t *testing.T, s scene) {
		t.Helper()
		writes := s.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{0}, Err: kerr.NotLeaderForPartition, Count: -1})
		lookUps := s.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Err: metadata, Count: -1})
		require.NoError(t, lookUps.Wait(within(t), 8))
		require.NoError(t, writes.Wait(within(t), 1))
		writes.Remove()
		lookUps.Remove()
	}
}

func movingLeaders(t *testing.T, s scene) {
	t.Helper()
	for i := range int32(12) {
		require.NoError(t, s.cluster.MoveTopicPartition(topic, i%partitions, i%3))
		s.stream.goesOn(t, 10)
	}
}

// passing are faults that end: everything has to be stored.
var passing = map[string]fault{
	"none":                      func(*testing.T, scene) {},
	"retriable once":            answers(kerr.NotEnoughReplicas, 1, 0),
	"retriable often":           answers(kerr.NotEnoughReplicas, 6, 0),
	"retriable everywhere":      answers(kerr.NotEnoughReplicas, 10),
	"timed out after append":    answers(kerr.RequestTimedOut, 5),
	"too few replicas after":    answers(kerr.NotEnoughReplicasAfterAppend, 5, 1),
	"not the leader":            answers(kerr.NotLeaderForPartition, 6),
	"corrupt message":           answers(kerr.CorruptMessage, 3, 1),
	"storage error":             answers(kerr.KafkaStorageError, 3),
	"unknown topic":             answers(kerr.UnknownTopicOrPartition, 3),
	"throttling quota":          answers(kerr.ThrottlingQuotaExceeded, 3),
	"leaders move":              movingLeaders,
	"leader not available":      leaderless(kerr.LeaderNotAvailable),
	"metadata is not to be had": leaderless(kerr.UnknownTopicOrPartition),
	"cut before the write":      onWire(cutBefore, 4, 5),
	"cut half written":          onWire(cutHalf, 4, 5),
	"cut after it is applied":   onWire(cutApplied, 4, 5),
	"answer never comes":        onWire(neverAnswer, 5, 2),
	"answer is garbled":         onWire(garbled, 4, 5),
	"answer is another's":       onWire(stale, 4, 5),
}

// fatal are faults that the producer must not survive.
var fatal = map[string]fault{
	"message too large":      answers(kerr.MessageTooLarge, 1, 0),
	"not authorized":         answers(kerr.TopicAuthorizationFailed, 1, 0),
	"invalid record":         answers(kerr.InvalidRecord, 1, 1),
	"invalid timestamp":      answers(kerr.InvalidTimestamp, 1, 1),
	"out of order sequence":  answers(kerr.OutOfOrderSequenceNumber, 1, 0),
	"unknown producer id":    answers(kerr.UnknownProducerID, 1, 0),
	"invalid producer epoch": answers(kerr.InvalidProducerEpoch, 1, 0),
	"unknown server error":   answers(kerr.UnknownServerError, 1, 0),
	"fenced by hand":         func(_ *testing.T, s scene) { s.p.Fence(errors.New("by hand")) },
}

// start sets a stream going through a producer on a cluster of its own.
func start(t *testing.T, slice int, change func(*produce.Producer)) (scene, *kfake.FaultHandle) {
	t.Helper()
	s := scene{cluster: newCluster(t), wire: &wire{every: 1}, stream: newStream(slice)}
	conf := quick()
	conf.Net.ReadTimeout = 500 * time.Millisecond // what does not come in time never does
	conf.Net.Proxy.Enable, conf.Net.Proxy.Dialer = true, s.wire
	arrived := watchProduce(s.cluster)
	s.p = newProducer(t, s.cluster.ListenAddrs(), produce.Config{
		Sarama: conf, Done: s.stream.done, OnFence: s.stream.onFence, Backoff: 5 * time.Millisecond,
	})
	if change != nil {
		change(s.p)
	}
	_, err := s.p.Prepare(within(t), topic)
	require.NoError(t, err)
	go s.stream.feed(s.p)
	s.stream.goesOn(t, 10*partitions*slice)
	return s, arrived
}

// sliceSizes are how many outputs of a partition a call of Enqueue has.
var sliceSizes = []int{1, 20}

func TestOrderSurvivesPassingFaults(t *testing.T) {
	t.Parallel()
	for name, happens := range passing {
		for _, slice := range sliceSizes {
			t.Run(fmt.Sprintf("%s/%d", name, slice), func(t *testing.T) {
				t.Parallel()
				s, arrived := start(t, slice, nil)
				happens(t, s)
				s.stream.goesOn(t, 10*partitions*slice)
				s.stream.halt()
				require.NoError(t, s.p.Close(within(t)))
				require.Empty(t, s.stream.violations(readLog(t, s.cluster, s.wire, arrived)))
				require.False(t, s.stream.fenced.Load())
				require.Empty(t, s.stream.errs)
			})
		}
	}
}

func TestOrderSurvivesFatalFaults(t *testing.T) {
	t.Parallel()
	for name, happens := range fatal {
		for _, slice := range sliceSizes {
			t.Run(fmt.Sprintf("%s/%d", name, slice), func(t *testing.T) {
				t.Parallel()
				s, arrived := start(t, slice, nil)
				happens(t, s)
				requireFenced(t, s)
				require.Error(t, s.p.Close(within(t)))
				require.Empty(t, s.stream.violations(readLog(t, s.cluster, s.wire, arrived)))
			})
		}
	}
}

// requireFenced waits for the fence and sees that nothing is taken after it.
func requireFenced(t *testing.T, s scene) {
	t.Helper()
	select {
	case <-s.stream.fencing:
	case <-within(t).Done():
		require.Fail(t, "the producer is not fenced")
	}
	require.ErrorIs(t, s.p.Enqueue(topic, []client.Output{{}}), client.ErrFenced)
	s.stream.halt()
}

func TestCloseGivesUpInOrder(t *testing.T) {
	t.Parallel()
	for _, slice := range sliceSizes {
		t.Run(strconv.Itoa(slice), func(t *testing.T) {
			t.Parallel()
			s, arrived := start(t, slice, nil)
			h := s.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{0}, Err: kerr.NotEnoughReplicas, Count: -1})
			require.NoError(t, h.Wait(within(t), 3))
			s.stream.halt()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, s.p.Close(ctx), context.DeadlineExceeded)
			require.True(t, s.stream.fenced.Load())
			require.ErrorIs(t, errors.Join(s.stream.errs...), client.ErrClosed)
			require.Empty(t, s.stream.violations(readLog(t, s.cluster, s.wire, arrived)))
		})
	}
}

func TestDeadlineFences(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := newStream(1)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: -1})
	p := newProducer(t, c.ListenAddrs(), produce.Config{Done: s.done, OnFence: s.onFence, DeliveryTimeout: 100 * time.Millisecond})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	go s.feed(p)
	requireFenced(t, scene{stream: s, p: p})
	require.ErrorIs(t, p.Close(within(t)), client.ErrDeadline)
	require.Empty(t, s.violations(readLog(t, c, &wire{}, watchProduce(c))))
	require.ErrorIs(t, errors.Join(s.errs...), kerrOf(kerr.NotEnoughReplicas), "the deadline's error says what the attempts failed with")
}

// The deadline counts while an answer is waited for, too.
func TestDeadlineFencesWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.SleepControl(func() { <-release })
		return nil, nil, false //nolint:nilnil // not answered here: the cluster does
	})
	results := make(chan client.Result, 1)
	conf := quick()
	conf.Net.ReadTimeout = time.Hour
	p := newProducer(t, c.ListenAddrs(), produce.Config{
		Sarama: conf, DeliveryTimeout: 100 * time.Millisecond, Done: func(r client.Result) { results <- r },
	})
	_, err := p.Prepare(within(t), topic)
	require.NoError(t, err)
	require.NoError(t, p.Enqueue(topic, []client.Output{{}}))
	r := <-results
	close(release)
	require.ErrorIs(t, r.Err, client.ErrDeadline)
	require.Equal(t, client.Unknown, r.Fate)
	require.ErrorIs(t, p.Close(within(t)), client.ErrDeadline)
}
