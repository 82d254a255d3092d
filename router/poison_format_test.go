package router_test

import (
	"bytes"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/router"
	"github.com/penstock/penstock/router/kafka"
)

func storyHeader(key, value string) kafka.Header {
	return kafka.Header{Key: []byte(key), Value: []byte(value)}
}

// What an older version has written, byte for byte.
func TestAPoisonRecordOfTheFirstFormatIsRead(t *testing.T) {
	t.Parallel()
	r := &kafka.Record{Topic: "p", Offset: 3, Key: []byte("k"), Value: []byte("v"), Headers: []kafka.Header{
		storyHeader("own", "1"), storyHeader("poison_replays", "the original's"),
		storyHeader("reason_poisoned", "last"), storyHeader("topic_poisoned", "a.in"), storyHeader("handler_poisoned", "a.s"), storyHeader("subscriber_poisoned", "penstock"),
		storyHeader("poison_version", "1"), storyHeader("poison_partition", "2"), storyHeader("poison_offset", "17"),
		storyHeader("poison_record_time", "2026-11-01T00:00:00Z"), storyHeader("poison_time", "2026-11-02T00:00:00Z"),
		storyHeader("poison_attempts", "4"), storyHeader("poison_first_error", "first"),
	}}
	p, err := router.ReadPoisoned(r)
	require.NoError(t, err)
	require.Equal(t, router.Poisoned{
		Topic: "a.in", Partition: 2, Offset: 17, RecordTime: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Stage: "a.s", At: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), Attempts: 4, FirstError: "first", LastError: "last",
		Key: []byte("k"), Value: []byte("v"), Headers: r.Headers[:2:2],
	}, p)
	r.Headers[6] = storyHeader("poison_version", "3")
	_, err = router.ReadPoisoned(r)
	require.ErrorIs(t, err, router.ErrNotPoison)
	require.ErrorContains(t, err, `poison_version is "3"`)
}

func TestPoisonRecordsReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		when := func(label string) time.Time {
			return time.Unix(0, rapid.Int64Range(0, 4e18).Draw(t, label)).UTC()
		}
		text := rapid.StringN(0, 50, 200)
		p := router.Poisoned{
			Topic: "a.in", Partition: rapid.Int32Min(0).Draw(t, "partition"), Offset: rapid.Int64Min(0).Draw(t, "offset"),
			RecordTime: when("stored"), Stage: "a.s", At: when("at"), Attempts: rapid.IntRange(0, 1<<30).Draw(t, "attempts"),
			Replays: rapid.IntRange(0, 1<<30).Draw(t, "replays"), FirstError: text.Draw(t, "first"), LastError: text.Draw(t, "last"),
			Key: []byte("k"), Value: nil, Headers: []kafka.Header{storyHeader("poison_version", text.Draw(t, "h"))},
		}
		copy(p.TopicID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		got, err := router.ReadPoisoned(&kafka.Record{Key: p.Key, Value: p.Value, Headers: p.RecordHeaders()})
		if err != nil {
			t.Fatal(err)
		}
		require.Equal(t, p, got)

		a := router.PoisonAction{
			Kind:     rapid.SampledFrom([]router.PoisonActionKind{router.PoisonReplay, router.PoisonDrop}).Draw(t, "kind"),
			Position: router.PoisonPosition{Partition: 4, Offset: p.Offset / 2}, By: text.Draw(t, "by"), At: when("acted"),
			Reason: text.Draw(t, "reason"), ID: text.Draw(t, "id"),
		}
		r := &kafka.Record{Partition: 4, Offset: p.Offset/2 + 1, Headers: a.RecordHeaders()}
		back, err := router.ReadPoisonAction(r)
		if err != nil {
			t.Fatal(err)
		}
		require.Equal(t, a, back)
		_, err = router.ReadPoisoned(r)
		require.ErrorIs(t, err, router.ErrNotPoison, "an action is no message")
		r.Offset--
		_, err = router.ReadPoisonAction(r)
		require.ErrorIs(t, err, router.ErrNotAction, "nothing is done about what comes later")
	})
}

// A record's time is whatever its producer says.
func TestAPoisonRecordOfAnyTimeIsRead(t *testing.T) {
	t.Parallel()
	for ms, year := range map[int64]int{math.MaxInt64: 9999, math.MinInt64: 0, 1_800_000_000_000: 2027} {
		p := router.Poisoned{Topic: "a.in", Stage: "a.s", RecordTime: time.UnixMilli(ms)}
		got, err := router.ReadPoisoned(&kafka.Record{Headers: p.RecordHeaders()})
		require.NoError(t, err)
		require.Equal(t, year, got.RecordTime.Year())
	}
}

func TestPositionsReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]router.PoisonPosition{"0": {}, "17": {Offset: 17}, "3:17": {Partition: 3, Offset: 17}} {
		p, err := router.ParsePoisonPosition(text)
		require.NoError(t, err)
		require.Equal(t, want, p)
		require.Equal(t, text, p.String())
	}
	for _, text := range []string{"", "-1", "1:", ":1", "a", "1:2:3", "9223372036854775808"} {
		_, err := router.ParsePoisonPosition(text)
		require.Error(t, err, text)
	}
}

func TestSignaturesLeaveOutWhatVaries(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                    "",
		"total -7 is wrong.":                  "total # is wrong.",
		"order c0: not 1.5!":                  "order #: not #!",
		"timeout":                             "timeout",
		"facade decade":                       "facade decade",
		"the total of bob is negative":        "the total of bob is negative",
		"order 17 of 23 failed":               "order # of # failed",
		`invalid character 'x' after "a 1 b"`: "invalid character … after …",
		"can't do it, isn't it":               "can't do it, isn't it",
		"dial tcp 10.0.0.1:5432: i/o timeout": "dial tcp #: i/o timeout",
		"id 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is gone": "id # is gone",
		"hash deadbeefdead differs":                       "hash # differs",
		"at 2026-11-23T02:21:38.5Z\n  status=503":         "at # status=#",
	} {
		require.Equal(t, want, router.ErrorSignature(text), text)
	}
	require.Equal(t, "0dfbce7b", router.PoisonGroupID("a.s", "timeout"), "the same for ever")
}

// Texts that differ only in numbers have one signature, it is short, and a
// signature's own is itself.
func TestSignaturesHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z]{1,7}`).Draw(t, "word")
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b")
		of := func(n uint32) string {
			return router.ErrorSignature(word + " " + strconv.Itoa(int(n)) + ": \"" + strconv.Itoa(int(n)) + "\" " + word)
		}
		require.Equal(t, of(a), of(b))
		anything := rapid.String().Draw(t, "anything")
		require.LessOrEqual(t, len(router.ErrorSignature(anything)), 200)
	})
}

// FuzzReadPoison holds what is read of a record of a poison topic to this: it is a
// message or an action or neither, and what it is can be written so that it reads the
// same, with errors as long as they may be.
func FuzzReadPoison(f *testing.F) {
	p := router.Poisoned{Topic: "a.in", Stage: "a.s", RecordTime: time.Unix(3, 5), Attempts: 2, FirstError: "first", LastError: "last"}
	a := router.PoisonAction{Kind: router.PoisonDrop, Reason: "why"}
	first := p.RecordHeaders()[:11]
	first[4].Value = []byte("1")
	for _, headers := range [][]kafka.Header{p.RecordHeaders(), a.RecordHeaders(), first} {
		var seed []byte
		for _, h := range headers {
			seed = append(append(append(append(seed, h.Key...), 0), h.Value...), 0)
		}
		f.Add(seed, []byte(nil), []byte(nil), int64(5))
		f.Add(append([]byte("own\x00header\x00"), seed...), []byte("key"), []byte("value"), int64(5))
		f.Add(bytes.ReplaceAll(seed, []byte("0001-01-01T00:00:00Z"), []byte("0000-01-01T00:00:00+23:00")), []byte{}, []byte{}, int64(5))
		f.Add(bytes.ReplaceAll(seed, []byte("attempts\x002"), []byte("attempts\x00-2")), []byte{}, []byte{}, int64(5))
	}
	f.Fuzz(func(t *testing.T, data, key, value []byte, offset int64) {
		r := &kafka.Record{Offset: offset, Key: key, Value: value}
		for len(data) > 0 {
			var h kafka.Header
			h.Key, data = untilZero(data)
			h.Value, data = untilZero(data)
			r.Headers = append(r.Headers, h)
		}
		p, errP := router.ReadPoisoned(r)
		a, errA := router.ReadPoisonAction(r)
		require.False(t, errP == nil && errA == nil, "it is both")
		if errP == nil {
			requirePoisonKept(t, r, p)
		}
		if errA == nil {
			requireActionKept(t, r, a)
		}
	})
}

func requirePoisonKept(t *testing.T, r *kafka.Record, p router.Poisoned) {
	t.Helper()
	require.Equal(t, r.Key, p.Key)
	require.Equal(t, r.Value, p.Value)
	require.Less(t, len(p.Headers), len(r.Headers))
	require.Equal(t, r.Headers[:len(p.Headers)], p.Headers)
	require.GreaterOrEqual(t, p.Partition, int32(0))
	require.GreaterOrEqual(t, p.Offset, int64(0))
	require.GreaterOrEqual(t, p.Attempts, 0)
	require.GreaterOrEqual(t, p.Replays, 0)
	written := p.RecordHeaders()
	again, err := router.ReadPoisoned(&kafka.Record{Offset: r.Offset, Key: p.Key, Value: p.Value, Headers: written})
	require.NoError(t, err)
	require.True(t, p.At.Equal(again.At))
	require.True(t, p.RecordTime.Equal(again.RecordTime))
	require.Equal(t, written, again.RecordHeaders(), "a story has one way to be written")
	for _, text := range []string{again.FirstError, again.LastError} {
		require.LessOrEqual(t, len(text), 8<<10+len("…"))
	}
}

func requireActionKept(t *testing.T, r *kafka.Record, a router.PoisonAction) {
	t.Helper()
	require.GreaterOrEqual(t, a.Position.Offset, int64(0))
	require.Less(t, a.Position.Offset, r.Offset, "it is about what stands before")
	written := a.RecordHeaders()
	again, err := router.ReadPoisonAction(&kafka.Record{Partition: r.Partition, Offset: r.Offset, Headers: written})
	require.NoError(t, err)
	require.True(t, a.At.Equal(again.At))
	require.Equal(t, written, again.RecordHeaders(), "an action has one way to be written")
}

func untilZero(b []byte) (head, rest []byte) {
	for i, c := range b {
		if c == 0 {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}
