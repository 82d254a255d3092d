package parking_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

// FuzzDecode holds what is read of a record of a retry log to this: it is written the
// same, header, key and value, it takes no more memory than the record has bytes, and
// who tries the message again reads the same message.
func FuzzDecode(f *testing.F) {
	entry := []parking.Entry{{Offset: 1}}
	for _, e := range []parking.Event{
		&parking.Take{}, &parking.Resume{}, &parking.Park{Rank: -1, Prev: -1, Replay: &parking.Replayed{By: "me"}, FirstError: "e"}, &parking.Start{Entries: entry},
		&parking.Done{Outcome: parking.Skipped, Entries: entry}, &parking.Replay{}, &parking.Drop{}, &parking.Scan{},
	} {
		_, _, headers := parking.Encode(e)
		f.Add(headers[0].Value, []byte("key"), []byte("value"), []byte("own"))
	}
	f.Add([]byte{2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, []byte(nil), []byte(nil), []byte(nil))             // a count beyond the end
	f.Add([]byte{2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 0, 0}, []byte{}, []byte{}, []byte(parking.HeaderName)) // as many entries as may be, and none there
	f.Fuzz(func(t *testing.T, story, key, value, own []byte) {
		r := &kafka.Record{Key: key, Value: value, Offset: 5, Headers: []kafka.Header{{Key: own, Value: own}, {Key: []byte(parking.HeaderName), Value: story}}}
		e, err := parking.Decode(r)
		if err != nil {
			require.Less(t, len(err.Error()), 300)
			return
		}
		againKey, againValue, headers := parking.Encode(e)
		require.Equal(t, story, headers[len(headers)-1].Value, "a record has one way to be written")
		require.LessOrEqual(t, held(e), len(story))
		p, err := parking.DecodeParked(r)
		if err != nil {
			require.ErrorIs(t, err, parking.ErrMalformed)
			require.Len(t, headers, 1, "it has no message")
			return
		}
		require.Equal(t, r.Headers, headers)
		require.Equal(t, key, againKey)
		require.Equal(t, value, againValue)
		require.Equal(t, parking.Message{Key: key, Value: value, Headers: r.Headers[:1:1]}, p.Message)
	})
}

// held is how many bytes an event has beside its message that grow with the record.
func held(e parking.Event) int {
	replayed := func(r *parking.Replayed) int {
		if r == nil {
			return 0
		}
		return len(r.SourceTopic) + len(r.FirstError) + len(r.By)
	}
	const entry = 24
	switch e := e.(type) {
	case *parking.Park:
		return len(e.FirstError) + len(e.LastError) + replayed(e.Replay)
	case *parking.Replay:
		return replayed(&e.Replayed)
	case *parking.Start:
		return entry * cap(e.Entries)
	case *parking.Done:
		return entry * cap(e.Entries)
	case *parking.Drop:
		return len(e.By)
	}
	return 0
}

// FuzzFold folds a log of any records: what is live is in order, once, and no more than
// what parks; and it is the same for who keeps no messages in memory.
func FuzzFold(f *testing.F) {
	entry := parking.Entry{Topic: [16]byte{7}, Offset: 1}
	parked := &parking.Park{Epoch: 0, Entry: entry, Rank: -1, Prev: -1}
	replay := &parking.Replay{Entry: parking.Entry{Offset: 2}, Replayed: parking.Replayed{Of: entry}}
	for _, log := range [][]parking.Event{
		{&parking.Take{}, &parking.Resume{Start: 3}, parked, &parking.Start{Entries: []parking.Entry{entry}}, &parking.Done{Outcome: parking.Succeeded, Entries: []parking.Entry{entry}}},
		{&parking.Take{}, parked, &parking.Scan{}, &parking.Park{Epoch: 0, Entry: entry, Rank: 1, Prev: 1, Held: true}, replay, &parking.Drop{Of: entry}},
		{&parking.Take{}, parked, &parking.Take{}, &parking.Resume{Epoch: 2, Topic: entry.Topic, Start: 1}, parked},
	} {
		var b []byte
		for _, e := range log {
			_, _, headers := parking.Encode(e)
			story := headers[0].Value
			b = append(append(b, byte(len(story)>>8), byte(len(story))), story...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var log []parking.Event
		parks := 0
		for len(b) >= 2 {
			n := min(int(b[0])<<8|int(b[1]), len(b)-2)
			e, err := parking.Decode(&kafka.Record{Key: b[:1:1], Headers: []kafka.Header{{Key: []byte(parking.HeaderName), Value: b[2 : 2+n]}}})
			b = b[2+n:]
			if err != nil {
				continue
			}
			log = append(log, e)
			switch e.(type) {
			case *parking.Park, *parking.Replay:
				parks++
			}
		}
		index, lean := parking.New(parking.Config{}), parking.New(parking.Config{CacheBytes: -1})
		for i, e := range log {
			index.Apply(e, int64(i))
			lean.Apply(e, int64(i))
		}
		got := index.Snapshot()
		require.Equal(t, got, lean.Snapshot())
		require.LessOrEqual(t, len(got.Live), parks)
		require.Equal(t, len(got.Live), index.Stats().Live)
		seen := map[parking.Entry]bool{}
		for i, l := range got.Live {
			require.False(t, seen[l.Entry], "a message is parked once")
			seen[l.Entry] = true
			if i > 0 {
				require.LessOrEqual(t, got.Live[i-1].Rank, l.Rank)
			}
		}
	})
}
