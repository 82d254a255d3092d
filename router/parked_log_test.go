package router_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/internal/brokertest"
	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// logged is an event of a retry log.
type logged struct {
	parking.Event

	partition int32
	offset    int64
}

// isOf tells whether the event is of a kind.
func isOf[E parking.Event](e logged) bool {
	_, is := e.Event.(E)
	return is
}

// retryLog reads a retry log.
func retryLog(t testing.TB, addrs []string, topic string) []logged {
	t.Helper()
	var events []logged
	for _, r := range brokertest.ReadAll(t, addrs, topic) {
		rec := kafka.Record{Topic: topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, kafka.Header{Key: []byte(h.Key), Value: h.Value})
		}
		e, err := parking.Decode(&rec)
		require.NoError(t, err)
		events = append(events, logged{e, r.Partition, r.Offset})
	}
	return events
}

// folded is what a fresh fold of a retry log says, by partition.
func folded(t testing.TB, addrs []string, topic string) map[int32]parking.State {
	t.Helper()
	folds := map[int32]*parking.Index{}
	for _, e := range retryLog(t, addrs, topic) {
		if folds[e.partition] == nil {
			folds[e.partition] = parking.New(parking.Config{})
		}
		folds[e.partition].Apply(e.Event, e.offset)
	}
	states := map[int32]parking.State{}
	for p, fold := range folds {
		states[p] = fold.Snapshot()
	}
	return states
}

// requireFolded checks that what a router has in memory is what a fresh fold of
// the log says. It is for quiet points: with nothing under way.
func requireFolded(t testing.TB, addrs []string, r *running, input, topic string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		fresh := folded(t, addrs, topic)
		for p, state := range r.Parking("work")[input] {
			assert.Equal(c, fresh[p], state, "partition %d", p)
		}
	}, waitFor, tick)
}

// appendEvents writes events to a retry log in one batch, as an operator does.
func appendEvents(t testing.TB, addrs []string, topic string, partition int32, events ...parking.Event) {
	t.Helper()
	var records []brokertest.Record
	for _, e := range events {
		key, value, headers := parking.Encode(e)
		rec := brokertest.Record{Key: key, Value: value}
		for _, h := range headers {
			rec.Headers = append(rec.Headers, brokertest.Header{Key: string(h.Key), Value: h.Value})
		}
		records = append(records, rec)
	}
	brokertest.ProduceTo(t, addrs, topic, partition, records...)
}

func topicID(t testing.TB, addrs []string, topic string) [16]byte {
	t.Helper()
	admin, err := kafka.NewAdmin(t.Context(), kafka.Config{Brokers: addrs})
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	topics, err := admin.Topics(t.Context(), topic)
	require.NoError(t, err)
	return topics[topic].ID
}

// replayOf is the REPLAY of the poison record of laned.work at an index.
func replayOf(t testing.TB, addrs []string, index int) *parking.Replay {
	t.Helper()
	const topic = "laned.work.poison"
	raw := brokertest.ReadAll(t, addrs, topic)[index]
	p := poisoned(t, addrs, topic)[index]
	return &parking.Replay{
		Entry: parking.Entry{Topic: topicID(t, addrs, topic), Offset: raw.Offset},
		Replayed: parking.Replayed{
			Of:          parking.Entry{Topic: topicID(t, addrs, p.Topic), Offset: p.Offset},
			SourceTopic: p.Topic, SourcePartition: p.Partition, SourceTime: p.RecordTime,
			Attempts: p.Attempts, FirstError: p.FirstError, By: "a test",
		},
		Message: parking.Message{Key: p.Key, Value: p.Value, Headers: p.Headers},
	}
}

// requireOneWriterAnEpoch checks that what counts was written by the owner of its
// epoch: behind its TAKE, and before the next one.
func requireOneWriterAnEpoch(t testing.TB, events []logged) {
	t.Helper()
	epoch := map[int32]int64{}
	for _, e := range events {
		var of int64
		switch event := e.Event.(type) {
		case *parking.Take:
			epoch[e.partition] = e.offset
			continue
		case *parking.Resume:
			of = event.Epoch
		case *parking.Park:
			of = event.Epoch
		case *parking.Start:
			of = event.Epoch
		case *parking.Done:
			of = event.Epoch
		default:
			continue
		}
		require.LessOrEqual(t, of, epoch[e.partition], "a record of an epoch that has not begun at %d/%d", e.partition, e.offset)
	}
}
