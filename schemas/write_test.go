package schemas_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock/penstock/schemas"
)

// envelopes draws those that Validate passes.
func envelopes() *rapid.Generator[schemas.Envelope] {
	text := func(limit int) *rapid.Generator[string] {
		return rapid.StringN(0, limit/4, limit).Filter(utf8.ValidString)
	}
	return rapid.Custom(func(t *rapid.T) schemas.Envelope {
		e := schemas.Envelope{
			ID:          text(schemas.MaxAttribute).Draw(t, "id"),
			Job:         text(schemas.MaxAttribute).Draw(t, "job"),
			Parent:      text(schemas.MaxAttribute).Draw(t, "parent"),
			Sequence:    rapid.Int64Min(0).Draw(t, "sequence"),
			Type:        text(schemas.MaxAttribute).Draw(t, "type"),
			Source:      text(schemas.MaxAttribute).Draw(t, "source"),
			ReplyTo:     text(schemas.MaxTopic).Draw(t, "replyTo"),
			TraceParent: text(100).Draw(t, "traceParent"),
			TraceState:  text(100).Draw(t, "traceState"),
			ContentType: rapid.SampledFrom([]string{"", "application/json", "text/plain; charset=utf-8"}).Draw(t, "contentType"),
		}
		if rapid.Bool().Draw(t, "hasTime") {
			e.Time = time.Unix(rapid.Int64Range(-62_000_000_000, 253_000_000_000).Draw(t, "time"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		}
		if e.HasKey = rapid.Bool().Draw(t, "hasKey"); e.HasKey {
			e.Key = rapid.String().Draw(t, "key")
		}
		for _, name := range rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, "names") {
			if !schemas.IsReserved(name) {
				e.Headers = append(e.Headers, schemas.Header{Name: name, Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value")})
			}
		}
		return e
	})
}

func TestReadReturnsWhatWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(envelopes(), 1, 4).Draw(t, "envelopes")
		var (
			arena []byte // one for all, so that a header that is overwritten shows
			lists [][]header
		)
		for i := range want {
			require.NoError(t, want[i].Validate())
			var hs []header
			hs, arena = schemas.AppendHeaders(hs, arena, &want[i])
			lists = append(lists, hs)
		}
		for i, hs := range lists {
			var key []byte
			if want[i].HasKey {
				key = []byte(want[i].Key)
			}
			var got schemas.Envelope
			value, err := schemas.ReadEnvelope(&got, key, []byte("value"), hs, nil)
			require.NoError(t, err)
			require.Equal(t, "value", string(value))
			require.Equal(t, want[i], got)
		}
	})
}

// Slabs are made by what SizeOwn says: what is appended fits in.
func TestSizeOwnIsEnough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := envelopes().Draw(t, "envelope")
		own, arena := schemas.AppendOwn([]header(nil), nil, &e)
		count, size := schemas.SizeOwn(&e)
		require.Len(t, own, count)
		require.LessOrEqual(t, len(arena), size)
		all, _ := schemas.AppendHeaders([]header(nil), nil, &e)
		require.Equal(t, all, append(schemas.AppendCommon([]header(nil), &e), own...))
		_, same := schemas.AppendHeaders([]header(nil), nil, &e)
		require.Equal(t, arena, same, "what is common is not in the arena")
	})
}

func TestWriteOnlyWhatIsSet(t *testing.T) {
	t.Parallel()
	hs, _ := schemas.AppendHeaders([]header(nil), nil, &schemas.Envelope{ID: "1", Key: "k", HasKey: true})
	require.Equal(t, headers("ce_specversion", "1.0", "ce_id", "1"), hs)
}

func TestWriteLeavesOutReservedHeaders(t *testing.T) {
	t.Parallel()
	hs, _ := schemas.AppendHeaders([]header(nil), nil, &schemas.Envelope{
		ID:      "1",
		Headers: []schemas.Header{{Name: "ce_id", Value: []byte("2")}, {Name: "x", Value: []byte("3")}, {Name: "content-type"}},
	})
	require.Equal(t, headers("ce_specversion", "1.0", "ce_id", "1", "x", "3"), hs)
}

func TestWrittenHeadersDoNotGrowIntoEachOther(t *testing.T) {
	t.Parallel()
	hs, _ := schemas.AppendHeaders([]header(nil), make([]byte, 0, 1024), &schemas.Envelope{ID: "1", Source: "s", Type: "t"})
	want := slices.Clone(hs)
	for _, h := range hs {
		_ = append(h.Value, "overwritten"...)
	}
	require.Equal(t, want, hs)
	require.Equal(t, "1", string(hs[3].Value))
}

func TestValidateFindsWhatReadingWouldRefuse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", schemas.MaxAttribute+1)
	for want, e := range map[string]schemas.Envelope{
		"ce_id: it has 1025":            {ID: long},
		"ce_source: it has 1025":        {Source: long},
		"ce_type: it has 1025":          {Type: long},
		"ce_correlationid: \"\\xff\"":   {Job: "\xff"},
		"ce_causationid: it has 1025":   {Parent: long},
		"content-type: it has 1025":     {ContentType: long},
		"reply-to: it has 250":          {ReplyTo: strings.Repeat("x", 250)},
		"ce_sequence: -1 is below 0":    {Sequence: -1},
		"ce_time: the year 10000":       {Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"ce_time: the year -1":          {Time: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)},
		"content-type: application/clo": {ContentType: "application/cloudevents+json"},
	} {
		var broken *schemas.EnvelopeError
		err := e.Validate()
		require.ErrorAs(t, err, &broken)
		require.ErrorContains(t, err, "broken header "+want)
		hs, _ := schemas.AppendHeaders([]header(nil), nil, &e)
		_, err = read(hs)
		require.Error(t, err, "Validate and ReadEnvelope agree on %s", want)
	}
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ce_id", "content-type", "reply-to", "traceparent", "_watermill_message_uuid"} {
		require.True(t, schemas.IsReserved(name), name)
	}
	for _, name := range []string{"", "CE_ID", "id", "ce_", "ce_subject"} {
		require.False(t, schemas.IsReserved(name), name)
	}
}
