package schemas_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas"
)

// header is what a Kafka client has for a header.
type header struct{ Key, Value []byte }

// headers makes a record's headers of names and values.
func headers(namesAndValues ...string) []header {
	hs := make([]header, 0, len(namesAndValues)/2)
	for i := 0; i < len(namesAndValues); i += 2 {
		hs = append(hs, header{[]byte(namesAndValues[i]), []byte(namesAndValues[i+1])})
	}
	return hs
}

func read(hs []header) (schemas.Envelope, error) {
	var e schemas.Envelope
	_, err := schemas.ReadEnvelope(&e, nil, nil, hs, nil)
	return e, err
}

func TestReadEveryAttribute(t *testing.T) {
	t.Parallel()
	var got schemas.Envelope
	value, err := schemas.ReadEnvelope(&got, []byte("customer-1"), []byte("{}"), headers(
		"ce_specversion", "1.0",
		"ce_id", "line-1",
		"first", "1",
		"ce_source", "orders.split",
		"ce_type", "orders.lines",
		"ce_correlationid", "order-1",
		"ce_causationid", "order-1/3",
		"ce_time", "2026-11-22T21:20:00.5+01:00",
		"ce_sequence", "7",
		"content-type", "application/json",
		"reply-to", "answers",
		"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"tracestate", "a=b",
		"second", "2",
		"first", "again",
		"ce_subject", "not interpreted",
	), nil)
	require.NoError(t, err)
	require.Equal(t, "{}", string(value))
	require.Equal(t, schemas.Envelope{
		ID: "line-1", Key: "customer-1", HasKey: true, Job: "order-1", Parent: "order-1/3", Sequence: 7,
		Time: time.Date(2026, 11, 22, 20, 20, 0, 500_000_000, time.UTC),
		Type: "orders.lines", Source: "orders.split", ReplyTo: "answers",
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", TraceState: "a=b",
		ContentType: "application/json",
		Headers: []schemas.Header{
			{Name: "first", Value: []byte("1")},
			{Name: "second", Value: []byte("2")},
			{Name: "first", Value: []byte("again")},
			{Name: "ce_subject", Value: []byte("not interpreted")},
		},
	}, got)
}

func TestReadRecordWithoutHeaders(t *testing.T) {
	t.Parallel()
	got := schemas.Envelope{ID: "of the record before", Headers: []schemas.Header{{Name: "old"}}}
	value, err := schemas.ReadEnvelope[header](&got, nil, []byte("anything"), nil, nil)
	require.NoError(t, err)
	require.Equal(t, "anything", string(value))
	require.Equal(t, schemas.Envelope{}, got)
}

func TestReadTellsAnEmptyKeyFromNone(t *testing.T) {
	t.Parallel()
	var e schemas.Envelope
	_, err := schemas.ReadEnvelope[header](&e, nil, nil, nil, nil)
	require.NoError(t, err)
	require.False(t, e.HasKey)
	_, err = schemas.ReadEnvelope[header](&e, []byte{}, nil, nil, nil)
	require.NoError(t, err)
	require.True(t, e.HasKey)
	require.Empty(t, e.Key)
}

func TestReadWatermillUUID(t *testing.T) {
	t.Parallel()
	e, err := read(headers("_watermill_message_uuid", "uuid-1"))
	require.NoError(t, err)
	require.Equal(t, schemas.Envelope{ID: "uuid-1"}, e)

	e, err = read(headers("_watermill_message_uuid", "uuid-1", "ce_id", "id-1"))
	require.NoError(t, err)
	require.Equal(t, schemas.Envelope{ID: "id-1"}, e, "ce_id wins, in whatever order they come")
}

func TestReadRefusesBrokenHeaders(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", schemas.MaxAttribute+1)
	for name, test := range map[string]struct {
		headers []header
		want    string
	}{
		"time":               {headers("ce_time", "yesterday"), `broken header ce_time: "yesterday" is no time like 2006-01-02T15:04:05Z (RFC 3339)`},
		"time without zone":  {headers("ce_time", "2026-11-22T21:20:00"), `broken header ce_time: "2026-11-22T21:20:00" is no time like`},
		"time out of range":  {headers("ce_time", "9999-12-31T23:59:59-01:00"), "broken header ce_time: \"9999-12-31T23:59:59-01:00\" is in a year without four digits in UTC"},
		"long time":          {headers("ce_time", long), "broken header ce_time: it has 1025 bytes, more than 1024"},
		"sequence":           {headers("ce_sequence", "first"), `broken header ce_sequence: "first" is no whole number from 1`},
		"sequence of zero":   {headers("ce_sequence", "0"), `broken header ce_sequence: "0" is no whole number from 1`},
		"sequence too large": {headers("ce_sequence", "9223372036854775808"), `broken header ce_sequence: "9223372036854775808" is no whole number`},
		"version":            {headers("ce_specversion", "0.3"), `broken header ce_specversion: "0.3" is not a version of CloudEvents that can be read; it must be 1.0`},
		"version 10":         {headers("ce_specversion", "10.0"), `broken header ce_specversion: "10.0" is not`},
		"no version":         {headers("ce_specversion", "1."), `broken header ce_specversion: "1." is not`},
		"id twice":           {headers("ce_id", "a", "ce_id", "a"), "broken header ce_id: it is there more than once"},
		"content type twice": {headers("content-type", "", "content-type", "a/b"), "broken header content-type: it is there more than once"},
		"empty id":           {headers("ce_id", ""), "broken header ce_id: it is empty"},
		"UTF-8":              {headers("ce_source", "caf\xe9"), `broken header ce_source: "caf\xe9" is not valid UTF-8`},
		"long id":            {headers("ce_id", long), "broken header ce_id: it has 1025 bytes, more than 1024"},
		"long Watermill id":  {headers("_watermill_message_uuid", long), "broken header _watermill_message_uuid: it has 1025 bytes"},
		"long reply topic":   {headers("reply-to", strings.Repeat("t", 250)), "broken header reply-to: it has 250 bytes, more than 249"},
		"other format":       {headers("content-type", "application/cloudevents+avro"), `broken structured event: "application/cloudevents+avro" is a format that cannot be read; use application/cloudevents+json`},
		"batch":              {headers("content-type", "application/cloudevents-batch+json"), `broken structured event: "application/cloudevents-batch+json" is a format that cannot be read`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(test.headers)
			var broken *schemas.EnvelopeError
			require.ErrorAs(t, err, &broken)
			require.ErrorContains(t, err, test.want)
			require.Less(t, len(err.Error()), 300, "a reason is short, whatever the header holds")
		})
	}
}

func TestReadKeepsWhatIsNotBroken(t *testing.T) {
	t.Parallel()
	var e schemas.Envelope
	value, err := schemas.ReadEnvelope(&e, []byte("k"), []byte("v"), headers("ce_sequence", "x", "ce_id", "id-1", "other", "1"), nil)
	require.Error(t, err)
	require.Equal(t, "v", string(value))
	require.Equal(t, schemas.Envelope{ID: "id-1", Key: "k", HasKey: true, Headers: []schemas.Header{{Name: "other", Value: []byte("1")}}}, e)
}

func TestReadIgnoresBrokenTrace(t *testing.T) {
	t.Parallel()
	for name, hs := range map[string][]header{
		"twice":    headers("traceparent", "a", "traceparent", "b", "ce_id", "1"),
		"UTF-8":    headers("traceparent", "\xff", "ce_id", "1"),
		"too long": headers("tracestate", strings.Repeat("x", schemas.MaxAttribute+1), "ce_id", "1"),
		"empty":    headers("traceparent", "", "ce_id", "1"),
	} {
		e, err := read(hs)
		require.NoError(t, err, name)
		require.Equal(t, schemas.Envelope{ID: "1"}, e, name)
	}
}

func TestReadTakesLaterMinorVersions(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "1.1", "1.12"} {
		_, err := read(headers("ce_specversion", version))
		require.NoError(t, err)
	}
}

func TestReadMakesStringsByText(t *testing.T) {
	t.Parallel()
	var made []string
	var e schemas.Envelope
	_, err := schemas.ReadEnvelope(&e, []byte("key"), nil,
		headers("ce_specversion", "1.0", "ce_id", "id", "content-type", "application/json", "x", "value"),
		func(b []byte) string { made = append(made, string(b)); return string(b) })
	require.NoError(t, err)
	require.Equal(t, []string{"key", "id", "x"}, made, "nothing else needs a string")
}
