package schemas_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock/penstock/schemas"
)

func readEvent(event string, more ...string) (schemas.Envelope, []byte, error) {
	var e schemas.Envelope
	hs := append(headers("content-type", "application/cloudevents+json; charset=UTF-8"), headers(more...)...)
	value, err := schemas.ReadEnvelope(&e, []byte("k"), []byte(event), hs, nil)
	return e, value, err
}

func TestReadStructuredEvent(t *testing.T) {
	t.Parallel()
	e, value, err := readEvent(`{
		"specversion": "1.0", "id": "1", "source": "shop", "type": "order.placed",
		"time": "2026-11-22T21:20:00Z", "sequence": "7", "correlationid": "job", "causationid": "parent",
		"traceparent": "00-a", "tracestate": "a=b", "subject": "o-1", "count": 3, "fast": true, "gone": null,
		"datacontenttype": "application/vnd.order+json", "data": {"amount": 4 }
	}`, "ce_id", "of the header", "ce_subject", "of the header", "other", "kept")
	require.NoError(t, err)
	require.Equal(t, `{"amount": 4 }`, string(value), "the data is as it stands")
	require.Equal(t, schemas.Envelope{
		ID: "1", Key: "k", HasKey: true, Job: "job", Parent: "parent", Sequence: 7,
		Time: time.Date(2026, 11, 22, 21, 20, 0, 0, time.UTC), Type: "order.placed", Source: "shop",
		TraceParent: "00-a", TraceState: "a=b", ContentType: "application/vnd.order+json",
		Headers: []schemas.Header{
			{Name: "other", Value: []byte("kept")},
			{Name: "ce_subject", Value: []byte("o-1")},
			{Name: "ce_count", Value: []byte("3")},
			{Name: "ce_fast", Value: []byte("true")},
		},
	}, e)
}

func TestReadStructuredData(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ data, want, contentType string }{
		"JSON by default":       {`"data": [1, 2]`, `[1, 2]`, "application/json"},
		"JSON string":           {`"data": "a"`, `"a"`, "application/json"},
		"text":                  {`"data": "a\n", "datacontenttype": "text/plain"`, "a\n", "text/plain"},
		"JSON for another type": {`"data": {"a":1}, "datacontenttype": "text/plain"`, `{"a":1}`, "text/plain"},
		"base64":                {`"data_base64": "AP8=", "datacontenttype": "image/png"`, "\x00\xff", "image/png"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, value, err := readEvent(`{"specversion":"1.0",` + test.data + `}`)
			require.NoError(t, err)
			require.Equal(t, test.want, string(value))
			require.Equal(t, test.contentType, e.ContentType)
		})
	}
	for _, data := range []string{`"id":"1"`, `"data":null`} {
		_, value, err := readEvent(`{"specversion":"1.0",` + data + `}`)
		require.NoError(t, err)
		require.Nil(t, value, "an event without data has a null value")
	}
}

func TestReadRefusesBrokenEvents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ event, want string }{
		"nothing":        {``, "broken structured event: the value is empty"},
		"no JSON":        {`hello`, "broken structured event: invalid character 'h'"},
		"no object":      {`[]`, "broken structured event: the value is no JSON object"},
		"cut off":        {`{"specversion":"1.0"`, "broken structured event: the JSON object is cut off"},
		"cut value":      {`{"specversion":`, "broken structured event: the JSON object is cut off"},
		"no version":     {`{"id":"1"}`, "broken structured event: attribute specversion: it is missing"},
		"null version":   {`{"specversion":null}`, "attribute specversion: it is missing"},
		"old version":    {`{"specversion":"0.3"}`, `attribute specversion: "0.3" is not a version`},
		"twice":          {`{"specversion":"1.0","id":"a","id":"b"}`, `attribute "id" is there more than once`},
		"long name":      {`{"` + strings.Repeat("x", 1025) + `":{}}`, "the name of an attribute has 1025 bytes, more than 1024"},
		"two events":     {`{"specversion":"1.0"}{}`, "something follows the JSON object"},
		"empty id":       {`{"specversion":"1.0","id":""}`, "attribute id: it is empty"},
		"object as id":   {`{"specversion":"1.0","id":{}}`, "attribute id: it is no string, number or boolean"},
		"time":           {`{"specversion":"1.0","time":"now"}`, `attribute time: "now" is no time`},
		"two kinds":      {`{"specversion":"1.0","data":1,"data_base64":"AA=="}`, "attribute data: it is there beside data_base64"},
		"base64":         {`{"specversion":"1.0","data_base64":"?"}`, "attribute data_base64: illegal base64"},
		"base64 object":  {`{"specversion":"1.0","data_base64":{}}`, "attribute data_base64: it is no string"},
		"object as type": {`{"specversion":"1.0","datacontenttype":[]}`, "attribute datacontenttype: it is no string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, value, err := readEvent(test.event)
			var broken *schemas.EnvelopeError
			require.ErrorAs(t, err, &broken)
			require.True(t, broken.Structured)
			require.ErrorContains(t, err, test.want)
			require.Equal(t, test.event, string(value), "the value is left as it came")
		})
	}
}

// What an event repeats of the headers is found in time, however much it is: one
// by one these would be 25 thousand million comparisons.
func TestReadStructuredEventWithManyAttributes(t *testing.T) {
	t.Parallel()
	const many = 160_000
	var event strings.Builder
	event.WriteString(`{"specversion":"1.0"`)
	for i := range many {
		fmt.Fprintf(&event, `,"x%d":1`, i)
	}
	event.WriteByte('}')
	e, _, err := readEvent(event.String(), "ce_x7", "of the header")
	require.NoError(t, err)
	require.Len(t, e.Headers, many)
	require.Equal(t, schemas.Header{Name: "ce_x7", Value: []byte("1")}, e.Headers[7])
}
