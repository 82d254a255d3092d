package parking_test

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router/internal/parking"
	"github.com/penstock/penstock/router/kafka"
)

func drawBytes(t *rapid.T, name string) []byte {
	return rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 20)).Draw(t, name)
}

func drawTime(t *rapid.T, name string) time.Time {
	n := rapid.Int64().Draw(t, name)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func drawEntry(t *rapid.T, name string) (e parking.Entry) {
	copy(e.Topic[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name+"'s topic"))
	e.Offset = rapid.Int64().Draw(t, name)
	return e
}

func drawMessage(t *rapid.T) parking.Message {
	m := parking.Message{Key: drawBytes(t, "key"), Value: drawBytes(t, "value"), Headers: []kafka.Header{}}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		name := rapid.SampledFrom([]string{"", "a", parking.HeaderName}).Draw(t, "header")
		m.Headers = append(m.Headers, kafka.Header{Key: []byte(name), Value: drawBytes(t, "header's value")})
	}
	return m
}

func drawAnyEvent(t *rapid.T) parking.Event {
	count := rapid.IntRange(0, math.MaxInt32)
	offset := rapid.Int64Min(0)
	text := rapid.StringN(-1, -1, parking.MaxName)
	replayed := func() parking.Replayed {
		return parking.Replayed{
			Of: drawEntry(t, "of"), SourceTopic: text.Draw(t, "topic"), SourcePartition: rapid.Int32().Draw(t, "partition"),
			SourceTime: drawTime(t, "source time"), Edited: rapid.Bool().Draw(t, "edited"), Attempts: count.Draw(t, "attempts"),
			FirstError: text.Draw(t, "first"), Replays: count.Draw(t, "replays"), By: text.Draw(t, "by"), At: drawTime(t, "at"),
		}
	}
	entries := func() (out []parking.Entry) {
		for range rapid.IntRange(1, 4).Draw(t, "entries") {
			out = append(out, drawEntry(t, "entry"))
		}
		return out
	}
	epoch := rapid.Int64().Draw(t, "epoch")
	switch rapid.IntRange(1, 8).Draw(t, "kind") {
	case 1:
		return &parking.Take{}
	case 2:
		p := &parking.Park{
			Epoch: epoch, Entry: drawEntry(t, "entry"), Rank: -1, Prev: -1, Attempts: count.Draw(t, "attempts"), Starts: count.Draw(t, "starts"),
			NotBefore: drawTime(t, "not before"), Since: drawTime(t, "since"), SourceTime: drawTime(t, "source time"), Held: rapid.Bool().Draw(t, "held"),
			FirstError: text.Draw(t, "first"), LastError: text.Draw(t, "last"), Message: drawMessage(t),
		}
		if rapid.Bool().Draw(t, "again") {
			p.Rank, p.Prev = offset.Draw(t, "rank"), offset.Draw(t, "prev")
		}
		if rapid.Bool().Draw(t, "replay") {
			r := replayed()
			p.Replay = &r
		}
		return p
	case 3:
		return &parking.Start{Epoch: epoch, Entries: entries()}
	case 4:
		return &parking.Done{Epoch: epoch, Outcome: parking.Outcome(rapid.IntRange(1, 3).Draw(t, "outcome")), Entries: entries()}
	case 5:
		return &parking.Replay{Entry: drawEntry(t, "entry"), Replayed: replayed(), Message: drawMessage(t)}
	case 6:
		return &parking.Drop{Of: drawEntry(t, "of"), By: text.Draw(t, "by"), At: drawTime(t, "at")}
	case 7:
		return &parking.Resume{Epoch: epoch, Topic: drawEntry(t, "topic").Topic, Start: offset.Draw(t, "start")}
	}
	return &parking.Scan{Epoch: epoch}
}

func record(e parking.Event) *kafka.Record {
	key, value, headers := parking.Encode(e)
	return &kafka.Record{Topic: "p.s.retry.in", Partition: 3, Offset: 7, Key: key, Value: value, Headers: headers}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawAnyEvent(t)
		got, err := parking.Decode(record(e))
		require.NoError(t, err)
		require.Equal(t, e, got)
	})
}

// The format is a promise: these bytes must not change.
func TestFormat(t *testing.T) {
	t.Parallel()
	topic := [16]byte{0xaa, 15: 0xbb}
	entry := parking.Entry{Topic: topic, Offset: 5}
	const topicHex, entryHex = "aa0000000000000000000000000000bb", "aa0000000000000000000000000000bb0000000000000005"
	replayed := parking.Replayed{
		Of: entry, SourceTopic: "in", SourcePartition: 2, SourceTime: time.Unix(0, 3), Edited: true, Attempts: 4, FirstError: "e", Replays: 1, By: "me", At: time.Unix(0, 9),
	}
	replayedHex := entryHex + "00000002" + "696e" + "00000002" + "0000000000000003" + "00000004" + "00000001" + "00000001" + "65" + "00000002" + "6d65" + "0000000000000009" + "01"
	for name, c := range map[string]struct {
		event parking.Event
		want  string
	}{
		"TAKE":   {&parking.Take{}, "0201"},
		"RESUME": {&parking.Resume{Epoch: 1, Topic: topic, Start: 258}, "0208" + "0000000000000001" + topicHex + "0000000000000102"},
		"START":  {&parking.Start{Epoch: 1, Entries: []parking.Entry{entry}}, "0203" + "0000000000000001" + "00000001" + entryHex},
		"DONE":   {&parking.Done{Epoch: 1, Outcome: parking.Poisoned, Entries: []parking.Entry{entry}}, "0204" + "0000000000000001" + "03" + "00000001" + entryHex},
		"REPLAY": {&parking.Replay{Entry: entry, Replayed: replayed}, "0205" + entryHex + replayedHex},
		"DROP":   {&parking.Drop{Of: entry, By: "me", At: time.Unix(0, 9)}, "0206" + entryHex + "00000002" + "6d65" + "0000000000000009"},
		"SCAN":   {&parking.Scan{Epoch: 1}, "0207" + "0000000000000001"},
		"PARK": {
			&parking.Park{
				Epoch: 1, Entry: entry, Rank: -1, Prev: -1, Attempts: 2, Starts: 1, NotBefore: time.Unix(0, 7), Since: time.Unix(0, 8), SourceTime: time.Time{},
				FirstError: "e", LastError: "é", Held: true, Replay: &replayed,
			},
			"0202" + "0000000000000001" + entryHex + "ffffffffffffffff" + "ffffffffffffffff" + "00000002" + "00000001" +
				"0000000000000007" + "0000000000000008" + "0000000000000000" + "00000001" + "65" + "00000002" + "c3a9" + "03" + replayedHex,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, headers := parking.Encode(c.event)
			require.Len(t, headers, 1)
			require.Equal(t, "penstock-park", string(headers[0].Key))
			require.Equal(t, c.want, hex.EncodeToString(headers[0].Value))
		})
	}
}

func TestLongTextsAreCutAtACharacter(t *testing.T) {
	t.Parallel()
	long := "x" + strings.Repeat("é", parking.MaxErrorText)
	e, err := parking.Decode(record(&parking.Park{Rank: -1, Prev: -1, FirstError: long, LastError: long, Replay: &parking.Replayed{By: long, SourceTopic: long, FirstError: long}}))
	require.NoError(t, err)
	p := e.(*parking.Park)
	require.Equal(t, long[:parking.MaxErrorText-1], p.FirstError)
	require.Equal(t, p.FirstError, p.LastError)
	require.Equal(t, p.FirstError, p.Replay.FirstError)
	require.Equal(t, long[:parking.MaxName-1], p.Replay.By)
}

func TestTimesBeyondTheFormatAreTheLastThereIs(t *testing.T) {
	t.Parallel()
	e, err := parking.Decode(record(&parking.Park{Rank: -1, Prev: -1, NotBefore: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}))
	require.NoError(t, err)
	require.Equal(t, time.Unix(0, math.MaxInt64).UTC(), e.(*parking.Park).NotBefore)
}

func TestUnknownRecordsAreNamed(t *testing.T) {
	t.Parallel()
	header := func(b ...byte) *kafka.Record {
		return &kafka.Record{Topic: "t", Partition: 1, Offset: 9, Headers: []kafka.Header{{Key: []byte(parking.HeaderName), Value: b}}}
	}
	_, err := parking.Decode(header(1, 1))
	var version *parking.VersionError
	require.ErrorAs(t, err, &version)
	require.Equal(t, byte(1), version.Version)
	require.ErrorContains(t, err, "t/1@9")

	_, err = parking.Decode(&kafka.Record{})
	require.ErrorIs(t, err, parking.ErrNotRecord)
	notLast := header(2, 7, 0, 0, 0, 0, 0, 0, 0, 0)
	notLast.Headers = append(notLast.Headers, kafka.Header{Key: []byte("other")})
	_, err = parking.Decode(notLast)
	require.ErrorIs(t, err, parking.ErrNotRecord)

	for _, broken := range [][]byte{{}, {2}, {2, 0}, {2, 9}, {2, 7}, {2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		_, err = parking.Decode(header(broken...))
		require.ErrorIs(t, err, parking.ErrMalformed, "%v", broken)
	}
	_, err = parking.DecodeParked(record(&parking.Scan{}))
	require.ErrorIs(t, err, parking.ErrMalformed)
}
